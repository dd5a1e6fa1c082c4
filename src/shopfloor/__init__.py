"""Shopfloor: a durable work board for AI agents and plain commands.

The package is laid out in layers that import downwards only; `README.md` beside this file draws
them.  Nothing is imported here, so that `import shopfloor` stays free and a command of the
`shop` program pays only for what it uses.  The version below is the single place that names it:
the build reads it from this file.
"""

__version__ = "0.1.0"
