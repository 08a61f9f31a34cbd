"""HTTP to outside systems: every way a request can fail, named for what the caller can do."""

import httpx

from connectors.runtime.errors import NotFound, RateLimited, TimedOut, Unauthorised, Unavailable

RETRY_AFTER_SECONDS = 2.0
"""How long to wait when a busy system does not say."""


async def send(client: httpx.AsyncClient, request: httpx.Request, *, writing: bool) -> httpx.Response:
    """The answer, whatever its status below 500. Raises Unavailable when nothing can have been executed and TimedOut
    when a write may have been; a read that goes wrong executed nothing.
    """
    what = f"{request.method} {request.url.path}"
    unclear = TimedOut if writing else Unavailable
    try:
        response = await client.send(request)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Unavailable(f"{what}: no connection ({type(error).__name__})") from error
    except httpx.TransportError as error:
        raise unclear(f"{what}: no answer ({type(error).__name__})") from error
    match response.status_code:
        case 429:
            raise RateLimited(f"{what}: busy", retry_after(response))
        case 401 | 403:
            raise Unauthorised(f"{what}: answered {response.status_code}")
        case 404:
            raise NotFound(what)
        case 503:
            raise Unavailable(f"{what}: away (503)")
        case status if status >= 500 or status == 423:
            raise unclear(f"{what}: answered {status}")
        case _:
            return response


def retry_after(response: httpx.Response) -> float:
    """Seconds of the header `Retry-After`, at least one."""
    try:
        return max(1.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return RETRY_AFTER_SECONDS
