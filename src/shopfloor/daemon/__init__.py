"""The loops: what acts on a board by itself, beside the people and agents who ask."""
