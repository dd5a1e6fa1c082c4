"""Programs to learn from; `make demo` runs the first one."""
