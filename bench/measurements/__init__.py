"""The measurements, one file each: `run(env)` answers with the lines of its part of the table."""
