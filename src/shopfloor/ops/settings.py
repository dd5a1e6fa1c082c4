"""What is set on this host, as the board sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shopfloor.domain.settings import Settings, fields
from shopfloor.ops.context import Context
from shopfloor.ops.dispatch import NoArguments
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Result

SECRET = ("secret", "token", "password", "api_key")
MASKED = "***"


class SettingView(Result, frozen=True):
    """One thing that can be set: its value and its default, and what it means; `unset` says what None is."""

    table: str
    name: str
    value: Any
    default: Any
    is_set: bool
    words: str
    unset: str | None


class SettingsView(Result, frozen=True):
    """The settings in force, table by table, the labels of this host, and what is odd about them; `file` has them."""

    file: str
    items: list[SettingView]
    labels: list[str]
    warnings: list[str]


@operation("board.settings", "GET /api/v1/settings", command="", kind="read", role="anyone")
def show_settings(ctx: Context, req: NoArguments) -> SettingsView:  # noqa: ARG001 - every operation has one
    """Show what is set for this board on its host; profiles have a list of their own."""
    settings = ctx.settings
    return SettingsView(
        ctx.service.profiles().file,
        views(settings),
        list(settings.labels),
        list(settings.warnings),
    )


def views(settings: Settings) -> list[SettingView]:
    """Every setting of every table, with its value; secrets are masked."""
    return [view for table in settings._fields for view in _table(settings, table)]


def _table(settings: Settings, table: str) -> list[SettingView]:
    """The fields of a table that has any; what is a list or a table of tables has none."""
    values = getattr(settings, table)
    if not hasattr(values, "_field_defaults"):
        return []
    found = []
    for field in fields(type(values)):
        value = getattr(values, field.name)
        is_set = value != field.default
        if is_set and field.name.endswith(SECRET):
            value = MASKED
        view = SettingView(
            table,
            field.name,
            _shown(value),
            _shown(field.default),
            is_set,
            field.words,
            field.unset,
        )
        found.append(view)
    return found


def _shown(value: Any) -> Any:
    """A value; of a table, the names that are in it."""
    return sorted(value) if isinstance(value, Mapping) else value
