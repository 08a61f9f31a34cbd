"""JSON answers of the sandbox systems: there are thousands in a second of virtual time."""

from typing import Any

import orjson
from starlette.responses import Response


class JsonAnswer(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)
