"""What may happen on a board, as plain data and pure functions: no I/O, standard library only."""
