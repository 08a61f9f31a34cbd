"""Structured logs: a JSON object a line on standard error, with the order's key and trace and nothing personal."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

PERSONAL = frozenset({"address", "email", "phone", "name", "note", "ship_to", "body", "evidence", "personal"})
"""Fields that are never written, whoever logs them."""


class _StandardError:
    """Standard error as it is when something is said: a logger outlives a stream that somebody puts in its place."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _without_personal(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for field in PERSONAL & event.keys():
        event[field] = "(left out)"
    return event


def configure(role: str, level: int = logging.INFO) -> None:
    """Once per process. Libraries speak from WARNING on; Faust's root logger is kept from building debug records."""
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s", force=True
    )
    for noisy in ("httpx", "httpcore", "aiokafka", "faust", "mode", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_personal,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", _StandardError())),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role)
