"""The board measured side by side with its peers on this machine; `python -m bench` prints a table."""
