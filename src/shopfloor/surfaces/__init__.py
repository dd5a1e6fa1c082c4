"""Where people and programs ask: loops over the registry of operations, each in its own manner."""
