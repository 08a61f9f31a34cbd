"""Whether a record kind may change as it did: in full and for ever, against every schema it was ever written with.

Old records are read by new releases (logs are kept for years), new records by old ones (a rolling upgrade). So a
change must hold both ways against *every* kept schema, not only the last. The rules are few:

* a new field has a default;
* a field goes only if it had a default;
* a field never changes its type, and never its name. Add another instead.

Kept schemas lie in `schemas/history/<Kind>.<fingerprint>.avsc`. Kinds that travel as JSON obey the same rules and are
kept in the same form.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from schemas.actions import OperatorAction
from schemas.avro import Schema, fingerprint, schema_of
from schemas.cases import Case
from schemas.commands import COMMAND_KINDS
from schemas.config import BrandConfig
from schemas.events import EVENT_KINDS, ITEM_EVENT_KINDS, STOCK_EVENT_KINDS
from schemas.hints import Hint
from schemas.outcomes import Outcome
from schemas.raw import ConnectionReport, RawHeaders
from schemas.sweep import Listed, SweepReport

AVRO_KINDS: tuple[type[BaseModel], ...] = (
    *dict.fromkeys((*EVENT_KINDS, *STOCK_EVENT_KINDS, *ITEM_EVENT_KINDS)),
    *COMMAND_KINDS,
    Case,
)
"""What travels as Avro."""

JSON_KINDS: tuple[type[BaseModel], ...] = (
    Hint, OperatorAction, BrandConfig, Outcome, ConnectionReport, Listed, SweepReport, RawHeaders,
)  # fmt: skip
"""What travels as JSON or, RawHeaders, as record headers."""

RECORD_KINDS = (*AVRO_KINDS, *JSON_KINDS)

Named = Mapping[str, Schema]


def schema_file(model: type[BaseModel]) -> str:
    """The file name under which the model's present schema is kept."""
    return f"{model.__name__}.{fingerprint(schema_of(model))}.avsc"


def breaches(schema: Schema, kept: Schema) -> tuple[str, ...]:
    """What forbids `schema` beside `kept`: one sentence each, with the field's path; none when both can be read as
    the other.
    """
    return tuple(_differing(schema["name"], schema, kept, dict(_names(schema)), dict(_names(kept))))


def not_kept(models: Iterable[type[BaseModel]], history: Iterable[Schema]) -> tuple[type[BaseModel], ...]:
    """The models whose present schema is not among the kept ones."""
    prints = {fingerprint(schema) for schema in history}
    return tuple(model for model in models if fingerprint(schema_of(model)) not in prints)


def _differing(path: str, new: Schema, old: Schema, new_names: Named, old_names: Named) -> Iterator[str]:
    new, old = _resolved(new, new_names), _resolved(old, old_names)
    if isinstance(new, list) and isinstance(old, list):
        yield from _union(path, new, old, new_names, old_names)
    elif _form(new) != _form(old):
        yield f"{path}: the type changed from {_form(old)} to {_form(new)}; keep the field and add another beside it"
    elif _kind(new) == "record":
        yield from _fields(path, new, old, new_names, old_names)
    elif _kind(new) == "array":
        yield from _differing(f"{path}[]", new["items"], old["items"], new_names, old_names)
    elif _kind(new) == "map":
        yield from _differing(f"{path}{{}}", new["values"], old["values"], new_names, old_names)


def _union(path: str, new: list[Schema], old: list[Schema], new_names: Named, old_names: Named) -> Iterator[str]:
    """Both must know the same branches; their order is free."""
    news = {_form(_resolved(branch, new_names)): branch for branch in new}
    olds = {_form(_resolved(branch, old_names)): branch for branch in old}
    if news.keys() != olds.keys():
        yield (
            f"{path}: the type changed from {' or '.join(sorted(olds))} to {' or '.join(sorted(news))}; "
            "keep the field and add another beside it"
        )
        return
    for form, branch in news.items():
        yield from _differing(path, branch, olds[form], new_names, old_names)


def _fields(path: str, new: Any, old: Any, new_names: Named, old_names: Named) -> Iterator[str]:
    news = {field["name"]: field for field in new["fields"]}
    olds = {field["name"]: field for field in old["fields"]}
    for name, field in news.items():
        if name not in olds and "default" not in field:
            yield f"{path}.{name}: new and without a default; give it one, or older records cannot be read"
    for name, field in olds.items():
        if name not in news and "default" not in field:
            yield f"{path}.{name}: removed, and it never had a default; keep it, or an older reader cannot read us"
    for name in sorted(news.keys() & olds.keys()):
        yield from _differing(f"{path}.{name}", news[name]["type"], olds[name]["type"], new_names, old_names)


def _names(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every record defined inside, under its full name: Avro writes a definition once and then only its name."""
    match schema:
        case list():
            for branch in schema:
                yield from _names(branch)
        case {"type": "record"}:
            yield f"{schema['namespace']}.{schema['name']}", schema
            for field in schema["fields"]:
                yield from _names(field["type"])
        case {"type": "array"}:
            yield from _names(schema["items"])
        case {"type": "map"}:
            yield from _names(schema["values"])


def _resolved(schema: Schema, names: Named) -> Schema:
    return names.get(schema, schema) if isinstance(schema, str) else schema


def _kind(schema: Schema) -> str:
    return str(schema["type"]) if isinstance(schema, dict) else str(schema)


def _form(schema: Schema) -> str:
    """What must stay: the plain type, and a record's name."""
    match schema:
        case list():
            return "a union"
        case {"type": "record"}:
            return f"record {schema['name']}"
        case {"logicalType": logical}:
            return f"{schema['type']} ({logical})"
        case _:
            return _kind(schema)
