"""Markdown as HTML that may stand in a page: read by one library, cleaned by another.

What people and agents write is not trusted: whatever is not on the list of what is allowed goes, and a link leads
only to http, https and mail.  No picture of another server is loaded, which would tell it who reads; it
becomes a link.
"""

from __future__ import annotations

from typing import Any

TEXT_BYTES_MAX = 512 * 1024
TAGS = {
    *(
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
    ),
    *("p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "ol": {"start"},
    "td": {"class"},
    "th": {"class"},
}
SCHEMES = {"http", "https", "mailto"}


class Markdown:
    """Makes HTML of Markdown; the libraries are loaded with the first text."""

    def __init__(self) -> None:
        self._read: Any = None
        self._clean: Any = None

    def html(self, text: str) -> str:
        """A text as clean HTML."""
        if self._read is None:
            self._load()
        cleaned: str = self._clean(self._read(text))
        return cleaned

    def _load(self) -> None:
        from markdown_it import MarkdownIt  # noqa: PLC0415 - see the list of heavy modules
        from nh3 import clean  # noqa: PLC0415 - see the list of heavy modules

        reader: Any = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True})
        reader.enable(["table", "strikethrough"])
        reader.add_render_rule("image", _as_link)
        self._read = reader.render
        self._clean = lambda html: clean(
            html,
            tags=TAGS,
            attributes=ATTRIBUTES,
            url_schemes=SCHEMES,
            link_rel="noopener noreferrer nofollow",
            strip_comments=True,
            attribute_filter=_attribute,
        )


def _as_link(renderer: Any, tokens: Any, at: int, *surroundings: Any) -> str:
    """A picture as a link to it."""
    from markdown_it.common.utils import escapeHtml  # noqa: PLC0415 - see the list of heavy modules

    token = tokens[at]
    source = escapeHtml(str(token.attrs.get("src", "")))
    words = renderer.renderInlineAsText(token.children, *surroundings) or source
    return f'<a href="{source}">{escapeHtml(words)}</a>'


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Only classes that our own reader has given stay."""
    if name == "class" and not (tag == "code" and value.startswith("language-")):
        return None
    return value
