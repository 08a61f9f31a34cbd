"""What Clarus refused, and the id in its answer."""

from collections.abc import Mapping
from typing import Any

from connectors.runtime.errors import Incompatible, Rejected
from connectors.runtime.outcomes import ended
from schemas.commands import Command
from schemas.outcomes import Outcome, OutcomeKind


def made_id(made: Mapping[str, Any], path: str) -> str:
    """`data.id`, an integer or text, or a flat `id`."""
    data = made.get("data", made)
    id_ = data.get("id") if isinstance(data, dict) else None
    if id_ is None:
        raise Incompatible(f"POST {path}: expected data.id, found none")
    return str(id_)


def refusal_of(command: Command, refused: Rejected) -> Outcome:
    return ended(command, OutcomeKind.REJECTED, code=refused.code, field=refused.field, text=refused.text)
