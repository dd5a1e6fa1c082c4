"""Questions to a language model: specify an idea, split it, judge a turn.  See README.md."""
