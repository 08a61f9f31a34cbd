"""What lies in a connector's two topics, and where it goes when it cannot be read."""

from dataclasses import replace
from typing import Any, cast

from pydantic import ValidationError

from kernel.log import Record
from schemas.avro import Codec
from schemas.commands import COMMAND_KINDS, Command
from schemas.errors import Unreadable
from schemas.hints import Hint
from schemas.topics import DLQ

_COMMANDS = Codec(COMMAND_KINDS)


def hint_of(record: Record) -> Hint:
    """Raises Unreadable, never with a value."""
    try:
        return Hint.model_validate_json(record.value or b"")
    except ValidationError as wrong:
        raise Unreadable("hint", "a valid hint", f"{wrong.error_count()} errors") from wrong


def without_evidence(record: Record, hint: Hint) -> tuple[Record, Hint]:
    """As they are kept while they wait: a hint is finished by a reading, and its evidence lies where it came from."""
    if not hint.evidence:
        return record, hint
    slim = hint.model_copy(update={"evidence": ""})
    return replace(record, value=slim.model_dump_json().encode()), slim


def command_of(record: Record) -> Command:
    """Raises Unreadable, also when the command lies under another order's key."""
    command = cast("Command", _COMMANDS.decode(record.value or b"", record.headers))
    if record.key is None or record.key != command.key.encode():
        raise Unreadable("key", command.key, repr(record.key))
    return command


def dead_letter(record: Record, stage: str, reason: str) -> dict[str, Any]:
    """The arguments of a producer's `send`: the record as we have it, where it lies and why it could not be used."""
    headers = {
        "topic": record.partition.topic.encode(),
        "partition": str(record.partition.number).encode(),
        "offset": str(record.offset).encode(),
        "reason": reason.encode(),
        "stage": stage.encode(),
    }
    return {"topic": DLQ.name, "key": record.key, "value": record.value, "headers": headers}
