"""Programs that put one system to work in turns; each is started in that system's own environment."""
