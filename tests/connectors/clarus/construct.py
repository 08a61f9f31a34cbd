"""`python -m tests.connectors.clarus.construct`: construct the recorded answers anew when a story changes.

Plays every story on the sandbox, whose shapes follow the published description, and varies each answer where the
description leaves room. Read the difference before it is kept: it shows what the connector now asks for.
"""

import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.connectors.clarus import sides
from tests.connectors.clarus.scenes import Floor

Json = dict[str, Any]
WIDTH = 118
REORDERED = ("goods_out_lines", "packages", "warehouses")
PASSED_BY = ("all", "edges", "node", "data")
MANY = ("allocated_quantity", "pick_quantity", "dispatch_quantity")


class Taking(httpx.AsyncBaseTransport):
    """Keeps every exchange under the name of the story that is being told."""

    def __init__(self, inner: httpx.AsyncBaseTransport, stories: dict[str, list[Json]]) -> None:
        self._inner = inner
        test = os.environ["PYTEST_CURRENT_TEST"].partition("::")[2]
        self._exchanges = stories[test.partition("[")[0].removeprefix("test_")]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = sides.read_request(request.method, request.url.path, await request.aread())
        answer = await self._inner.handle_async_request(request)
        content = await answer.aread()
        self._exchanges.append({"request": asked, "response": _response(answer, content)})
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)


def _response(answer: httpx.Response, content: bytes) -> Json:
    kept: Json = {"status": answer.status_code}
    if "Retry-After" in answer.headers:
        kept["headers"] = {"Retry-After": answer.headers["Retry-After"]}
    if "json" in answer.headers.get("Content-Type", ""):
        return kept | {"json": json.loads(content)}
    return kept | {"headers": {"Content-Type": "text/html"}, "text": content.decode()} if content else kept


def varied(value: Any, key: str = "", root: str = "") -> Any:
    """As another Clarus might answer the same; see recorded/README.md."""
    match value:
        case {"symbol": symbol, "details": _}:
            return _error(value, symbol)
        case {"edges": edges} if root in REORDERED:
            return varied({**value, "edges": edges[::-1]})
        case {"type": "goods_outs", "id": id_, "attributes": attributes}:
            shown = {name: attributes[name] for name in ("reference", "goods_out_status_id", "account_id")}
            return {
                **value,
                "id": str(id_) if attributes["reference"].startswith("ACME-5012") else id_,
                "attributes": shown,
            }
        case {"type": "products", "id": id_, "attributes": attributes}:
            return {**value, "id": str(id_), "attributes": {"code": attributes["code"]}}
        case dict():
            return {name: varied(inner, name, root if name in PASSED_BY else name) for name, inner in value.items()}
        case list():
            return [varied(inner, key, root) for inner in value]
        case int() | float() if key in MANY:
            return f"{value:.1f}"
        case str() if key == "actual_date_of_dispatch":
            return value.replace("12:00:00Z", "13:00:00.000+01:00")
        case str() if key == "endCursor":
            return another_cursor(value)
        case str() if key == "access_token":
            return f"token-{value.rpartition('.')[2]}"
        case _:
            return value


def _error(error: Json, symbol: str) -> Json:
    """Clarus says where it comes from, and names the attribute alone."""
    said = {"code": error["code"], "symbol": symbol, "details": error["details"].rpartition(":")[2].strip()}
    path = error["context"].get("field", "")
    name = "attribute" if "." in path else "field"
    context = {"context": {name: path.rpartition(".")[2]}} if path else {}
    return {**said, "source": "GoodsOuts::Create#call", **context}


def another_cursor(cursor: str) -> str:
    return f"c:{cursor[::-1].lstrip('=')}"


def _story(name: str, exchanges: list[Json]) -> Json:
    """Cursors that were given come back in requests."""
    for exchange in exchanges:
        exchange["response"] = varied(exchange["response"])
        variables = exchange["request"].get("variables", {})
        for variable, value in variables.items():
            if variable.endswith("after") and value is not None:
                variables[variable] = another_cursor(value)
    return {"story": name.replace("_", " "), "exchanges": exchanges}


def written(value: Any, indent: int = 0, lead: int = 0) -> str:
    """JSON with everything on one line that fits on one."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent + lead <= WIDTH or not isinstance(value, dict | list) or not value:
        return line
    if isinstance(value, list):
        inner = [written(each, indent + 2) for each in value]
    else:
        inner = [f"{json.dumps(name)}: {written(each, indent + 2, len(name) + 4)}" for name, each in value.items()]
    opened, closed = ("[", "]") if isinstance(value, list) else ("{", "}")
    pad = " " * indent
    return f"{opened}\n" + ",\n".join(f"{pad}  {one}" for one in inner) + f"\n{pad}{closed}"


def main() -> int:
    stories: dict[str, list[Json]] = defaultdict(list)

    def to_sandbox(floor: Floor) -> httpx.AsyncBaseTransport:
        return Taking(httpx.ASGITransport(floor.app), stories)

    sides.to_sandbox = to_sandbox
    tests = [str(path) for path in sorted(Path(__file__).parent.glob("test_contract_*.py"))]
    failed = pytest.main(["-q", "-k", "sandbox", "-o", "filterwarnings=ignore", "-p", "no:cacheprovider", *tests])
    if failed:
        return int(failed)
    for old in sides.RECORDED.glob("*.json"):
        old.unlink()
    for name, exchanges in stories.items():
        (sides.RECORDED / f"{name}.json").write_text(written(_story(name, exchanges)) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
