"""What axe finds on a page that keeps people out, in both themes.

A page is judged whole as it stands in light.  In dark it has the same elements in other colours, so there
only the rules that look at colours are asked once more: half the work, and the same proof.
"""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

SERIOUS = ("serious", "critical")
VIOLATIONS = {"resultTypes": ["violations"]}
COLOURS = {**VIOLATIONS, "runOnly": ["color-contrast", "link-in-text-block"]}
# What is on its way to its place is not judged yet.
SETTLED = """() => Promise.all(
  document.getAnimations().filter(one => one.effect.getComputedTiming().iterations !== Infinity)
    .map(one => one.finished.catch(() => null))).then(() => true)"""


def findings(page: Page) -> list[str]:
    """What axe calls serious or critical on a page that is open, one line each."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found = _judged(page, "light", VIOLATIONS)
    page.emulate_media(color_scheme="dark")
    return found + _judged(page, "dark", COLOURS)


def _judged(page: Page, theme: str, options: dict[str, Any]) -> list[str]:
    page.evaluate(SETTLED)
    told = page.evaluate("options => axe.run(options)", options)
    return [
        f"{theme}: {one['id']}: {node['html'][:160]} ({node['any'][0]['message'] if node['any'] else one['help']})"
        for one in told["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
