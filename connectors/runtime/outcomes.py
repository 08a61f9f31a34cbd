"""How a command ended, as every connector tells it."""

from datetime import datetime

from schemas.commands import Decided
from schemas.outcomes import Outcome, OutcomeKind


def ended(
    command: Decided,
    kind: OutcomeKind,
    *,
    external_id: str = "",
    code: str = "",
    field: str = "",
    text: str = "",
    until: datetime | None = None,
) -> Outcome:
    return Outcome(
        command=command.id,
        object=command.object,
        generation=command.generation,
        kind=kind,
        external_id=external_id,
        code=code,
        field=field,
        text=text,
        until=until,
    )
