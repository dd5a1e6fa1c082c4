"""How to run each kind of worker: what a profile and a task together mean as a program and its surroundings."""
