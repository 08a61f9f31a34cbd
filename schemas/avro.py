"""Avro for canonical topics: schemas derived from the models, the fingerprint travels with the record.

A record's headers hold `kind` (the model's name) and `schema` (SHA-256 of the canonical schema, 16 hex digits). A
reader finds the writer's schema by fingerprint among the current ones and those kept in `schemas/history/`.
"""

import io
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NewType, Union, cast, get_args, get_origin

import fastavro
from pydantic import AwareDatetime, BaseModel, create_model

from schemas.errors import Unreadable
from schemas.newest import Newest, very_same

Schema = Any
NAMESPACE = "lockstep"
HISTORY = "history"


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The Avro schema of a model. Enums travel as strings, so that an older reader meets a new value calmly; decimals
    as their text; moments as microseconds since 1970 UTC. Every field with a default has it in the schema.
    """
    return cast("dict[str, Any]", _record(model, set()))


def _record(model: type[BaseModel], named: set[str]) -> Schema:
    if model.__name__ in named:
        return f"{NAMESPACE}.{model.__name__}"
    named.add(model.__name__)
    fields = []
    for name, info in model.model_fields.items():
        field: dict[str, Any] = {"name": name, "type": _type(info.annotation, named)}
        if not info.is_required():
            field["default"] = _default(info.get_default(call_default_factory=True))
            field["type"] = _default_first(field["type"], field["default"])
        fields.append(field)
    return {"type": "record", "name": model.__name__, "namespace": NAMESPACE, "fields": fields}


_PLAIN: Mapping[object, Schema] = {
    str: "string",
    int: "long",
    bool: "boolean",
    Decimal: "string",
    NoneType: "null",
    datetime: {"type": "long", "logicalType": "timestamp-micros"},
    AwareDatetime: {"type": "long", "logicalType": "timestamp-micros"},
}


def _type(annotation: Any, named: set[str]) -> Schema:
    if isinstance(annotation, NewType):
        return _type(annotation.__supertype__, named)
    plain = _PLAIN.get(annotation)
    if plain is not None:
        return plain
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(args[0], named)
    if origin is Literal or (isinstance(annotation, type) and issubclass(annotation, Enum)):
        return "string"
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return {"type": "array", "items": _type(args[0], named)}
    if origin is dict:
        return {"type": "map", "values": _type(args[1], named)}
    if origin in (Union, UnionType):
        return [_type(arg, named) for arg in args]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _record(annotation, named)
    msg = f"no Avro form for {annotation!r}"
    raise TypeError(msg)


def _default(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple):
        return [_default(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _default_first(kind: Schema, default: Any) -> Schema:
    """Avro wants a union's default to be of its first branch."""
    if isinstance(kind, list) and default is None:
        return ["null", *(branch for branch in kind if branch != "null")]
    return kind


def canonical(schema: Schema) -> str:
    """One text per schema, whatever the order in which its keys were written."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))


def fingerprint(schema: Schema) -> str:
    return sha256(canonical(schema).encode()).hexdigest()[:16]


class Split:
    """A kind of record in two: its head, the fields it has from `base`, and its body, the fields that are its own.

    An Avro record is its fields one behind the other, so the body is what of the bytes the head leaves over. A body of
    the same bytes as the one before it, of the same key, is that very one: read once, and found equal at a glance. What
    is made of the very same parts is written once.
    """

    def __init__(self, model: type[BaseModel], base: type[BaseModel]) -> None:
        fields, at = schema_of(model)["fields"], len(base.model_fields)
        own: dict[str, Any] = {name: (info.annotation, info) for name, info in list(model.model_fields.items())[at:]}
        self._model, self._names = model, set(own)
        self._own: type[BaseModel] = create_model(model.__name__, __config__=model.model_config, **own)
        self._head, self._body = _part(f"{model.__name__}Head", fields[:at]), _part(model.__name__, fields[at:])
        self._read = Newest[bytes, dict[str, Any]]()
        self._written = Newest[tuple[Any, ...], bytes](very_same)

    def read(self, value: bytes, key: bytes) -> BaseModel:
        rest = io.BytesIO(value)
        head = cast("dict[str, Any]", fastavro.schemaless_reader(rest, self._head, None))
        return self._model.model_validate(head | self._read.of(key, rest.read(), self._read_body))

    def _read_body(self, value: bytes) -> dict[str, Any]:
        return vars(self._own.model_validate(fastavro.schemaless_reader(io.BytesIO(value), self._body, None)))

    def write(self, record: BaseModel, key: bytes) -> bytes:
        own = tuple(value for name, value in vars(record).items() if name in self._names)
        body = self._written.of(key, own, lambda _: _bytes(self._body, record.model_dump(include=self._names)))
        return _bytes(self._head, record.model_dump(exclude=self._names)) + body


def _bytes(schema: Schema, fields: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema, fields)
    return buffer.getvalue()


def _part(name: str, fields: list[Schema]) -> Schema:
    return fastavro.parse_schema({"type": "record", "name": name, "namespace": NAMESPACE, "fields": fields})


class Codec:
    """Writes and reads the records of some models. Make it once; it parses every schema, past ones included.

    Records of kinds derived from `repeated` mostly say what the one before said of the same key; see `Split`.
    """

    def __init__(self, models: Iterable[type[BaseModel]], repeated: type[BaseModel] | None = None) -> None:
        self._models = {model.__name__: model for model in models}
        self._split = {
            name: Split(model, repeated)
            for name, model in self._models.items()
            if repeated is not None and issubclass(model, repeated)
        }
        schemas = {name: schema_of(model) for name, model in self._models.items()}
        self._current = {name: fastavro.parse_schema(schema) for name, schema in schemas.items()}
        self._print = {name: fingerprint(schema) for name, schema in schemas.items()}
        self._header = {name: self._print[name].encode() for name in schemas}
        self._writers: dict[str, tuple[str, Schema]] = {
            fingerprint(schema): (schema["name"], fastavro.parse_schema(schema)) for schema in past_schemas()
        }

    def encode(self, record: BaseModel, key: bytes = b"") -> tuple[bytes, dict[str, bytes]]:
        """The value and the headers `kind` and `schema`, of a record that will have this key in its topic."""
        name = type(record).__name__
        if key and name in self._split:
            value = self._split[name].write(record, key)
        else:
            value = _bytes(self._current[name], record.model_dump())
        return value, {"kind": name.encode(), "schema": self._header[name]}

    def decode(self, value: bytes, headers: Mapping[str, bytes], key: bytes = b"") -> BaseModel:
        """The record that has this key in its topic. Raises Unreadable when the kind or the schema is unknown, or the
        bytes are not of that schema.
        """
        name = headers.get("kind", b"").decode()
        model = self._models.get(name)
        if model is None:
            raise Unreadable("header kind", f"one of {', '.join(sorted(self._models))}", repr(name))
        written = headers.get("schema", b"").decode()
        reader = None
        writer = self._current[name]
        if written != self._print[name]:
            past = self._writers.get(written)
            if past is None or past[0] != name:
                raise Unreadable(
                    "header schema",
                    f"a schema of {name} this release knows",
                    f"{written!r}; was it written by a newer one?",
                )
            writer, reader = past[1], writer
        try:
            if reader is None and name in self._split:
                return self._split[name].read(value, key)
            return model.model_validate(fastavro.schemaless_reader(io.BytesIO(value), writer, reader))
        except (
            Exception
        ) as cause:  # fastavro raises bare EOFError, ValueError, IndexError, struct.error on broken bytes
            raise Unreadable(
                f"{name} value", f"bytes of schema {written}", f"{type(cause).__name__}: {cause}"
            ) from cause


@cache
def past_schemas() -> tuple[dict[str, Any], ...]:
    """Schemas of earlier releases, kept for their readers."""
    folder = files("schemas").joinpath(HISTORY)
    if not folder.is_dir():
        return ()
    kept = sorted((file for file in folder.iterdir() if file.name.endswith(".avsc")), key=lambda file: file.name)
    return tuple(json.loads(file.read_text()) for file in kept)
