"""What can happen to a request on its way to the sandbox ERP and back, as a `FaultPlan` draws it."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.responses import Response

from sandbox.answers import JsonAnswer
from sandbox.clock import Clock
from sandbox.faults import Fault, FaultPlan

Act = Callable[[], Awaitable[Response]]


class Mishaps:
    """Stands where a gateway stands: what it answers itself has status 429, 502 or 504.

    504 is the unclear answer: the ERP has executed the request, or will some seconds later.
    """

    def __init__(self, plan: FaultPlan | None, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._late: set[asyncio.Task[None]] = set()

    async def befall(self, operation: str, act: Act, *, writing: bool) -> Response:
        """Run `act`, or not, or late, and answer what the caller gets to see."""
        if self._plan is None:
            return await act()
        drawn = self._plan.draw(operation, writing=writing)
        match drawn.fault:
            case Fault.NONE:
                return await act()
            case Fault.THROTTLED:
                return _gateway(429, {"Retry-After": "1"})
            case Fault.SERVER_ERROR:
                return _gateway(502)
            case Fault.ANSWER_LOST:
                await act()
                return _gateway(504)
            case Fault.LATE_EXECUTION:
                late = asyncio.create_task(self._execute_late(act, drawn.seconds))
                self._late.add(late)
                late.add_done_callback(self._late.discard)
                return _gateway(504)
            case Fault.SLOW:
                await self._clock.sleep(drawn.seconds)
                return await act()

    async def _execute_late(self, act: Act, seconds: float) -> None:
        await self._clock.sleep(seconds)
        await act()


def _gateway(status: int, headers: dict[str, str] | None = None) -> Response:
    error = {"code": "gateway", "field": "", "message": "the gateway's answer, not the ERP's"}
    return JsonAnswer({"error": error}, status_code=status, headers=headers)
