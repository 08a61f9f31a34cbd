"""What the agents send, as records: commands, cases, and readings that are asked for."""

from schemas.avro import Codec
from schemas.base import System, order_key
from schemas.cases import Case
from schemas.commands import COMMAND_KINDS, Command, SetOnHand, system_of
from schemas.hints import Hint
from schemas.topics import CASES, COMMANDS, COMMANDS_STOCK, HINTS
from streams.engine.contract import Emission

RECORDS = Codec((*COMMAND_KINDS, Case))


def command_emission(key: bytes, command: Command) -> Emission:
    value, headers = RECORDS.encode(command)
    headers |= {"brand": command.brand.encode(), "trace": command.trace.encode()}
    topic = COMMANDS_STOCK if isinstance(command, SetOnHand) else COMMANDS[system_of(command)]
    return Emission(topic.name, key, value, headers)


def case_emission(case: Case) -> Emission:
    value, headers = RECORDS.encode(case)
    return Emission(CASES.name, case.key.encode(), value, headers)


def hint_emission(system: System, hint: Hint) -> Emission:
    """Under the key of what is to be read."""
    key, body = order_key(hint.brand, hint.order).encode(), hint.model_dump_json(exclude_defaults=True).encode()
    return Emission(HINTS[system].name, key, body, {"brand": hint.brand.encode()})
