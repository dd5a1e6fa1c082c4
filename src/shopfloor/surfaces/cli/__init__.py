"""The command line: every operation as a command, made from the registry."""
