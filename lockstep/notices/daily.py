"""The digest of each owner, to one target, once a day at the brand's hour; what went out is kept in `notices`."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from kernel.clock import Clock
from kernel.log import Log
from lockstep.digest import digest, theirs
from lockstep.notices.courier import Courier, Sent
from lockstep.notices.notice import Form, escaped, id_of
from lockstep.notices.target import NoticeSettings, NoticeTarget
from lockstep.notices.teller import Teller
from lockstep.reading import everything, newest_cases
from schemas.base import Brand
from schemas.cases import Case, Owner
from schemas.topics import NOTICES

LOOK_EVERY = 5.0
"""Seconds."""


class Daily:
    """Sends when its teller holds the first partition of `cases`, so that one member of several does."""

    def __init__(
        self,
        brand: Brand,
        settings: NoticeSettings,
        target: NoticeTarget,
        teller: Teller,
        log: Log,
        courier: Courier,
        clock: Clock,
    ) -> None:
        self._brand, self._settings, self._target = brand, settings, target
        self._teller, self._log, self._courier, self._clock = teller, log, courier, clock
        self._done: date | None = None
        """The last day that needs nothing more from us."""

    async def run(self) -> None:
        """Until cancelled. Raises LogError when the log is away."""
        while self._target.digest:
            await self.look()
            await self._clock.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Send what is due today and was not sent."""
        here = self._clock.now().astimezone(ZoneInfo(self._settings.zone))
        if not self._teller.holds_first or self._done == here.date() or here.hour < self._settings.digest_hour:
            return
        cases, sent = await newest_cases(self._log), await days_sent(self._log)
        for owner in self._owners(cases):
            if sent.get(self._key(owner), "") < here.date().isoformat() and not await self._sent(owner, cases, here):
                return
        self._done = here.date()

    def _owners(self, cases: list[Case]) -> Iterator[Owner]:
        """Those of the target's owners for whom something waits; the first of them when nothing does at all."""
        owners = self._target.owners or tuple(Owner)
        waiting = [owner for owner in owners if theirs(cases, self._brand, owner)]
        yield from waiting or owners[:1]

    async def _sent(self, owner: Owner, cases: list[Case], here: datetime) -> bool:
        """Again and again until it is taken; False when the day is over, or another member's business, before that."""
        day = here.date()
        content = self._content(owner, digest(cases, self._brand, owner, self._clock.now()), day)
        while True:
            await self._clock.sleep(self._courier.wait())
            if self._clock.now().astimezone(here.tzinfo).date() > day or not self._teller.holds_first:
                return False
            if await self._courier.send(self._id(owner, day), content) is not Sent.FAILED:
                break
        await self._note(owner, day)
        return True

    async def _note(self, owner: Owner, day: date) -> None:
        producer = self._log.producer()
        await producer.start()
        try:
            value = json.dumps({"day": day.isoformat()}).encode()
            await (await producer.send(NOTICES.name, key=self._key(owner).encode(), value=value))
        finally:
            await producer.stop()

    def _key(self, owner: Owner) -> str:
        return f"{self._brand}/{self._target.name}/{owner}"

    def _id(self, owner: Owner, day: date) -> str:
        return id_of("digest", self._key(owner), day.isoformat())

    def _content(self, owner: Owner, text: str, day: date) -> bytes:
        form: Form = self._target.form
        said: dict[str, str] = {"text": _for_chat(text)}
        if form == "plain":
            said = {
                "id": self._id(owner, day), "kind": "digest", "brand": self._brand, "owner": owner,
                "day": day.isoformat(), "text": text,
            }  # fmt: skip
        return json.dumps(said, separators=(",", ":")).encode()


async def days_sent(log: Log) -> dict[str, str]:
    """brand/target/owner → the last day whose digest was delivered, as ISO text."""
    days: dict[str, str] = {}
    async with everything(log, [NOTICES.name]) as records:
        async for record in records:
            if record.key is not None and record.value is not None:
                days[record.key.decode()] = str(json.loads(record.value)["day"])
    return days


def _for_chat(text: str) -> str:
    """Bold and headings as Slack writes them."""
    lines = (f"*{line[3:]}*" if line.startswith("## ") else line.replace("**", "*") for line in text.split("\n"))
    return escaped("\n".join(lines))
