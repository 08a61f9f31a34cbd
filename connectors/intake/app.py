"""The HTTP edge: checks who posts, writes a hint, waits for the broker's acknowledgement, answers.

    POST /shopify/{brand}/{topic}           signed over the raw body (X-Shopify-Hmac-Sha256)
    POST /clarus/{brand}/{path token}/…     unsigned: the token is all that tells friend from foe; read back, always

    200  the hint is in the log, or the topic bears on no order
    400  not JSON, no order in it, cut off     401  wrong or missing signature or token
    404  unknown brand, another shop           408  not sent in time    413  too large
    503  Kafka did not acknowledge: send it again

Whatever is refused leaves nothing in the log and is counted in `lockstep_webhooks_refused_total`.
"""

import asyncio
import hmac
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.intake import clarus, shopify
from connectors.intake.settings import IntakeBrand, IntakeSettings
from kernel.clock import Clock
from kernel.log import LogError, Producer, RecordTooLarge
from kernel.metrics import Metrics
from schemas.base import Brand, OrderId, System, order_key
from schemas.errors import Unreadable
from schemas.hints import Hint
from schemas.topics import HINTS

_log = structlog.get_logger(__name__)

UNKNOWN = "~unknown"
"""The metric label of a brand nobody configured; what a stranger posts never becomes a label."""


_HEADERS = {408: {"Connection": "close"}, 503: {"Retry-After": "5"}}
"""Of answers by their status: what is still to come of a body that took too long is not waited for either."""


class Refused(Exception):
    """Answered with `status`; `reason` is a metric label, the text is for whoever set the sender up."""

    def __init__(self, status: int, reason: str, text: str) -> None:
        super().__init__(text)
        self.status, self.reason = status, reason


def create_intake(
    *,
    producer: Producer,
    brands: Mapping[Brand, IntakeBrand],
    clock: Clock,
    metrics: Metrics,
    prefix_of: Callable[[Brand], str | None],
    settings: IntakeSettings | None = None,
    new_trace: Callable[[], str] = lambda: str(uuid.uuid4()),
) -> Starlette:
    """The ASGI application. `producer` is started by the caller; `prefix_of` is the brand's reference prefix in Clarus,
    None while it is not configured; `new_trace` names what comes without a name of its own.
    """
    intake = _Intake(producer, brands, clock, metrics, prefix_of, settings or IntakeSettings(), new_trace)
    return Starlette(
        routes=[
            Route("/shopify/{brand}/{topic:path}", intake.shopify, methods=["POST"]),
            Route("/clarus/{brand}/{token}", intake.clarus, methods=["POST"]),
            Route("/clarus/{brand}/{token}/{event:path}", intake.clarus, methods=["POST"]),
        ]
    )


class _Intake:
    def __init__(
        self,
        producer: Producer,
        brands: Mapping[Brand, IntakeBrand],
        clock: Clock,
        metrics: Metrics,
        prefix_of: Callable[[Brand], str | None],
        settings: IntakeSettings,
        new_trace: Callable[[], str],
    ) -> None:
        self._producer, self._brands, self._clock, self._metrics = producer, brands, clock, metrics
        self._prefix_of, self._settings, self._new_trace = prefix_of, settings, new_trace

    async def shopify(self, request: Request) -> Response:
        return await self._answered(request, self._shopify)

    async def clarus(self, request: Request) -> Response:
        return await self._answered(request, self._clarus)

    async def _answered(self, request: Request, take: Callable[[Request, IntakeBrand], Awaitable[None]]) -> Response:
        try:
            await take(request, self._brand_of(request))
        except Refused as why:
            named = Brand(request.path_params["brand"])
            label = named if named in self._brands else UNKNOWN
            self._metrics.refused.labels(label, why.reason).inc()
            _log.warning("intake.refused", brand=label, reason=why.reason, status=why.status)
            return PlainTextResponse(f"{why}\n", status_code=why.status, headers=_HEADERS.get(why.status))
        return PlainTextResponse("ok\n")

    def _brand_of(self, request: Request) -> IntakeBrand:
        brand = self._brands.get(Brand(request.path_params["brand"]))
        if brand is None:
            raise Refused(404, "unknown_brand", "no such brand here")
        return brand

    # --- the two senders

    async def _shopify(self, request: Request, brand: IntakeBrand) -> None:
        body = await self._body(request)
        secrets = [secret.get_secret_value() for secret in brand.shopify_secrets]
        if not shopify.genuine(secrets, body, request.headers.get("x-shopify-hmac-sha256")):
            raise Refused(401, "signature", "expected X-Shopify-Hmac-Sha256 over the raw body with this shop's secret")
        domain = request.headers.get("x-shopify-shop-domain", brand.shop_domain)
        if domain.lower() != brand.shop_domain.lower():
            raise Refused(404, "another_shop", f"expected a webhook of {brand.shop_domain}")
        topic = request.path_params["topic"]
        told = _object(body)
        if not shopify.bears_on_an_order(topic, told):
            _log.info("intake.left_alone", brand=brand.brand, topic=topic[:60])
            return
        order = _named(lambda: shopify.order_of(topic, told))
        given = request.headers
        trace = given.get("x-shopify-event-id") or given.get("x-shopify-webhook-id") or self._new_trace()
        await self._hint(System.SHOPIFY, brand.brand, order, shopify.resource_of(topic), trace[:64], body)

    async def _clarus(self, request: Request, brand: IntakeBrand) -> None:
        expected, given = brand.clarus_token.get_secret_value(), request.path_params["token"]
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise Refused(401, "token", "expected the path token of this brand")
        body = await self._body(request)
        subdomain = request.headers.get("x-claruswms-subdomain", brand.clarus_subdomain)
        if subdomain != brand.clarus_subdomain:
            raise Refused(404, "another_tenant", f"expected an automation of {brand.clarus_subdomain}")
        told = _object(body)
        event = request.path_params.get("event", "")
        if clarus.about_stock(event):
            order = _named(lambda: clarus.balance_of(told))
        elif clarus.about_goods_outs(event):
            order = _named(lambda: clarus.order_of(told, self._prefix_of(brand.brand)))
        else:
            _log.info("intake.left_alone", brand=brand.brand, topic=event[:60])
            return
        await self._hint(System.CLARUS, brand.brand, order, "automation", self._new_trace(), body)

    # --- in and out

    async def _body(self, request: Request) -> bytes:
        """The raw bytes, never more of them than allowed and never waited for longer; what is declared larger is not
        read at all.
        """
        most, within = self._settings.largest_body, self._settings.body_within
        received = bytearray()
        if not _declares_more(request.headers.get("content-length", ""), most):
            try:
                async with asyncio.timeout(within):
                    async for chunk in request.stream():
                        received += chunk
                        if len(received) > most:
                            break
                    else:
                        return bytes(received)
            except ClientDisconnect as gone:
                raise Refused(400, "cut_off", "expected a whole body") from gone
            except TimeoutError as slow:
                raise Refused(408, "too_slow", f"expected a whole body within {within:g} s") from slow
        raise Refused(413, "too_large", f"expected at most {most} bytes")

    async def _hint(self, system: System, brand: Brand, order: OrderId, why: str, trace: str, body: bytes) -> None:
        evidence = body.decode() if len(body) <= self._settings.largest_evidence else ""
        hint = Hint(brand=brand, order=order, why=why, seen_at=self._clock.now(), trace=trace, evidence=evidence)
        try:
            async with asyncio.timeout(self._settings.answer_within):
                sent = await self._producer.send(
                    HINTS[system].name,
                    key=order_key(brand, order).encode(),
                    value=hint.model_dump_json().encode(),
                    headers={"brand": brand.encode(), "trace": trace.encode()},
                )
                await sent
        except RecordTooLarge as error:
            raise Refused(413, "too_large", "the log does not take a record of this size") from error
        except (LogError, TimeoutError) as away:
            raise Refused(503, "log_away", "not taken: the log did not acknowledge; send it again") from away
        self._metrics.hints.labels(brand, system, why).inc()


def _declares_more(length: str, most: int) -> bool:
    """Whether a Content-Length says more than so many bytes. What is no number says nothing: then they are counted."""
    return length.isascii() and length.isdecimal() and (len(length) > 18 or int(length) > most)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "not_json", "expected a JSON object") from error
    if not isinstance(told, dict):
        raise Refused(400, "not_json", f"expected a JSON object, found {type(told).__name__}")
    return told


def _named(find: Callable[[], OrderId]) -> OrderId:
    try:
        return find()
    except Unreadable as wrong:
        raise Refused(400, "no_order", str(wrong)) from wrong
