"""The composition root: the only place that knows every part, and the programs that are made of them."""
