"""The reference page about the API: every address of the OpenAPI document, on one line each."""

from typing import Any

from page import page, table

from shopfloor.surfaces.web.document import document

ROLES = ("viewer", "operator", "admin")


def api() -> str:
    """Every address with its method, who may ask it, and what it does."""
    told = document()
    groups: dict[str, list[tuple[str, ...]]] = {}
    for path, methods in told["paths"].items():
        for method, one in methods.items():
            groups.setdefault(one["tags"][0], []).append(_row(path, method, one))
    parts: list[str] = []
    for name in sorted(groups, key=lambda name: (name == "server", name)):
        parts += [f"## {name}", table(("method", "address", "role", "what"), groups[name])]
    refusals = [
        (name.removeprefix("Refused"), one["description"])
        for name, one in told["components"]["responses"].items()
    ]
    return page(
        "API",
        "The operations over HTTP. [Operations](operations.md) has their fields and answers, `/api/v1/openapi.json` of a"
        " running server both of them for programs, and [the guide](../guides/api.md) how to ask. Every address takes"
        " `?board=NAME`; what changes something takes the header `Idempotency-Key`.",
        *parts,
        "## Refusals",
        table(("status", "codes"), refusals),
    )


def _row(path: str, method: str, one: dict[str, Any]) -> tuple[str, ...]:
    needs = next((role for role in ROLES if f"role {role}" in one.get("description", "")), "")
    if one.get("security") == []:
        needs = "nobody's"
    return method.upper(), f"`{path}`", needs or "any", one["summary"]
