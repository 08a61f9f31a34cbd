"""Keeping schemas: the present one of every record kind, with its example as this release writes it."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from schemas.avro import Codec, schema_of
from schemas.compatibility import AVRO_KINDS, RECORD_KINDS, breaches, schema_file

SCHEMAS = Path(__file__).parent.parent / "schemas"


class IncompatibleError(Exception):
    """A record kind changed so that old and new releases could not read each other; one line per breach."""


def keep_schemas(folder: Path = SCHEMAS) -> tuple[str, ...]:
    """Write what is not kept yet to `history/`; returns the new files' names. Nothing kept is ever changed.

    Beside each Avro schema lies `<Kind>.<fingerprint>.hex`: the bytes this release writes for
    `examples/<Kind>.json`, so that later releases can prove that they still read them.
    Raises IncompatibleError, and writes nothing, when a change is against the rules of `schemas.compatibility` or an
    example lacks a field. A schema that never left your checkout may be deleted and written anew.
    """
    history = folder / "history"
    wrong = [line for model in RECORD_KINDS for line in (*_against_kept(model, history), *_left_out(model, folder))]
    if wrong:
        raise IncompatibleError("\n".join(wrong))
    history.mkdir(exist_ok=True)
    made: list[str] = []
    for model in RECORD_KINDS:
        file = history / schema_file(model)
        if not file.exists():
            file.write_text(json.dumps(schema_of(model), indent=1) + "\n")
            made.append(file.name)
        golden = file.with_suffix(".hex")
        if model in AVRO_KINDS and not golden.exists():
            golden.write_text(written(model, folder).hex() + "\n")
            made.append(golden.name)
    return tuple(made)


def written(model: type[BaseModel], folder: Path = SCHEMAS) -> bytes:
    """The Avro bytes of the model's example. Raises OSError when it has none, ValidationError when it is not valid."""
    example = model.model_validate_json((folder / "examples" / f"{model.__name__}.json").read_bytes())
    return Codec((model,)).encode(example)[0]


def _left_out(model: type[BaseModel], folder: Path) -> Sequence[str]:
    """An example shows every field, so that the kept bytes prove every field."""
    shown = json.loads((folder / "examples" / f"{model.__name__}.json").read_text())
    return [
        f"examples/{model.__name__}.json: expected every field, {name} is not there: add it"
        for name in model.model_fields
        if name not in shown
    ]


def _against_kept(model: type[BaseModel], history: Path) -> Sequence[str]:
    schema = schema_of(model)
    return [
        f"{breach} (kept in {file.name})"
        for file in sorted(history.glob(f"{model.__name__}.*.avsc"))
        for breach in breaches(schema, json.loads(file.read_text()))
    ]
