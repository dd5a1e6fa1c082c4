"""What may be asked of a board: typed operations, registered once, behind one door."""
