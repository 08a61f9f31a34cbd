"""How far each case has been told: so that a changed detail, or a record sent again, is no news."""

from datetime import datetime

from lockstep.notices.notice import Stage, stage_of
from schemas.cases import Case

_ORDER = list(Stage)


class Told:
    """Of one target and partition. Kept in memory; made again from the topic, up to where the target has come."""

    def __init__(self) -> None:
        self._stages: dict[str, tuple[datetime, int]] = {}

    def is_news(self, case: Case) -> bool:
        """Whether this says more of the case than was told of it."""
        known = self._stages.get(case.key)
        return known is None or (case.opened_at, _ORDER.index(stage_of(case))) > known

    def note(self, case: Case) -> None:
        if self.is_news(case):
            self._stages[case.key] = (case.opened_at, _ORDER.index(stage_of(case)))
