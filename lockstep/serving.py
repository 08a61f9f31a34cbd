"""HTTP servers of our own processes: loopback unless set otherwise, ended with the task that runs them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kernel.metrics import Metrics


class _Server(uvicorn.Server):
    """Leaves signals to the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: Starlette, host: str, port: int) -> None:
    """Until cancelled. Raises OSError when the address is taken."""
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, lifespan="off")
    server = _Server(config)
    try:
        await server.serve()
    except SystemExit as ended:
        raise OSError(f"expected the free address {host}:{port} to listen on, found it taken") from ended
    finally:
        if server.started and not server.should_exit:  # cancelled: it has not closed what it listens on
            server.should_exit = server.force_exit = True
            await server.shutdown()


@dataclass(frozen=True, slots=True)
class Health:
    """`ready`: partitions are taken, tables recovered, no fuse blown. `live`: progress is made."""

    ready: Callable[[], bool]
    live: Callable[[], bool] = lambda: True


def health_app(health: Health, metrics: Metrics) -> Starlette:
    """/health/live, /health/ready and /metrics."""

    async def live(_: Request) -> Response:
        return _answer(good=health.live())

    async def ready(_: Request) -> Response:
        return _answer(good=health.ready())

    async def scrape(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", scrape)])


def _answer(*, good: bool) -> Response:
    return PlainTextResponse("ok\n" if good else "not yet\n", status_code=200 if good else 503)
