"""Everything that is stored, and the only SQL of the program: named statements for two databases."""
