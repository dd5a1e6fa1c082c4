"""The verbs of the board: load, decide by the lifecycle table, apply, record; one transaction each."""
