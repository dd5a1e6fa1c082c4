"""The operating-system room: starts, watches and stops worker processes.

It knows nothing of boards, databases or settings.  What it is told comes as arguments, what it
learns leaves as values and as small files in a run's folder.  Nothing is imported here, so that
the supervisor's process loads only the modules that it uses.
"""
