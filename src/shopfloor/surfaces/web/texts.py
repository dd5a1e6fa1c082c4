"""`POST /api/v1/markdown`: what people and agents wrote, as HTML that may stand in a page."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from shopfloor.domain.errors import Invalid
from shopfloor.surfaces.web.answers import value
from shopfloor.surfaces.web.api import json_object
from shopfloor.surfaces.web.markdown import Markdown
from shopfloor.surfaces.web.who import Who

BODY_BYTES_MAX = 1 << 20
TEXTS_MAX = 500


class Texts:
    """Makes HTML of texts."""

    def __init__(self) -> None:
        self._markdown = Markdown()

    async def markdown(self, request: Request, who: Who) -> Response:  # noqa: ARG002 - as all are called
        """`{"texts": […]}` becomes `{"html": […]}`."""
        given = await json_object(request, BODY_BYTES_MAX)
        texts = given.get("texts")
        if given.keys() != {"texts"} or not isinstance(texts, list) or len(texts) > TEXTS_MAX:
            raise Invalid(
                f"`texts` is a list of at most {TEXTS_MAX} texts, and nothing else is taken"
            )
        if not all(isinstance(text, str) for text in texts):
            raise Invalid("`texts` is a list of texts")
        return value({"html": await asyncio.to_thread(self._all, texts)})

    def _all(self, texts: list[str]) -> list[str]:
        return [self._markdown.html(text) for text in texts]
