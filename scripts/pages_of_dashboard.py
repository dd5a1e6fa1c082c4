"""What the dashboard knows of the lifecycle: the rows of the table that a person may take, as a module.

A page offers exactly these moves and no list of its own; what each one is called stands in the page.
"""

import json

from shopfloor.domain.lifecycle import RULES, By, Status
from shopfloor.ops.lifecycle import OPERATIONS

HEAD = """\
// Made by `make docs` from the lifecycle's table; not edited by hand.
//
// The rows of one operation and status are tried in order, and the first whose guards hold is taken.

"""


def lifecycle() -> str:
    """The module that the dashboard loads."""
    statuses = json.dumps([status.value for status in Status])
    rows = [
        {
            "op": OPERATIONS[rule.verb],
            "from": rule.source,
            "to": rule.target,
            "guards": list(rule.guards),
            "run": rule.run,
        }
        for rule in RULES
        if rule.by is By.PERSON and rule.source is not None
    ]
    table = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    return f"{HEAD}export const STATUSES = {statuses};\n\nexport const RULES = [\n{table},\n];\n"
