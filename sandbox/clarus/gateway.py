"""What can happen to a request between its caller and Clarus: latency, throttling, lost answers, late execution."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.responses import Response

from sandbox.answers import JsonAnswer
from sandbox.clarus.errands import Errands
from sandbox.clock import Clock
from sandbox.faults import Chance, Drawn, Fault, FaultPlan, Faults

Act = Callable[[], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """`latency`: seconds every request takes. `per_second`: requests a tenant may make, None without limit."""

    latency: float = 0.0
    per_second: float | None = None
    burst: int = 20


class Gateway:
    """Its own answers have status 429, 502 and 504.

    A caller cannot tell from 502 or 504 whether the request was executed, is going to be, or never will.
    """

    def __init__(
        self, clock: Clock, errands: Errands, plan: FaultPlan | None = None, settings: GatewaySettings | None = None
    ) -> None:
        self.plan = plan or FaultPlan(Faults(), Chance(0), "clarus")
        self._clock = clock
        self._errands = errands
        self._settings = settings or GatewaySettings()
        self._buckets: dict[str, _Bucket] = {}

    async def pass_on(self, operation: str, tenant: str, act: Act, *, writing: bool) -> Response:
        """Run `act`, or not, or late, and answer what the caller gets to see."""
        if (wait := self._wait(tenant)) > 0:
            return _throttled(wait)
        if self._settings.latency > 0:
            await self._clock.sleep(self._settings.latency)
        drawn = self.plan.draw(operation, writing=writing)
        match drawn.fault:
            case Fault.NONE:
                return await act()
            case Fault.THROTTLED:
                return _throttled(1.0)
            case Fault.SERVER_ERROR:
                return _broken(502)
            case Fault.ANSWER_LOST:
                await act()
                return _broken(502)
            case Fault.LATE_EXECUTION:
                self._errands.start(self._late(act, drawn))
                return _broken(504)
            case Fault.SLOW:  # done at once, told late: what a read saw may be past when it arrives
                answer = await act()
                await self._clock.sleep(drawn.seconds)
                return answer

    async def _late(self, act: Act, drawn: Drawn) -> None:
        await self._clock.sleep(drawn.seconds)
        await act()

    def _wait(self, tenant: str) -> float:
        """Seconds until this tenant may ask again; 0 takes one request from its bucket."""
        if self._settings.per_second is None:
            return 0.0
        bucket = self._buckets.setdefault(tenant, _Bucket(self._settings.burst, self._clock.now()))
        return bucket.take(self._clock.now(), self._settings.per_second, self._settings.burst)


@dataclass(slots=True)
class _Bucket:
    level: float
    at: datetime

    def take(self, now: datetime, per_second: float, burst: int) -> float:
        self.level = min(burst, self.level + (now - self.at) / timedelta(seconds=1) * per_second)
        self.at = now
        if self.level < 1:
            return (1 - self.level) / per_second
        self.level -= 1
        return 0.0


def _throttled(seconds: float) -> Response:
    return JsonAnswer({"error": "Too many requests"}, 429, {"Retry-After": str(max(1, round(seconds)))})


def _broken(status: int) -> Response:
    """Not JSON: it is not Clarus that answers."""
    return Response("<html><body>Bad gateway</body></html>", status, media_type="text/html")
