"""Golden examples: every record kind that travels has one, and its bytes never change under us."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from lockstep.schema_files import SCHEMAS, IncompatibleError, keep_schemas, written
from schemas.avro import Codec, fingerprint, schema_of
from schemas.compatibility import AVRO_KINDS, JSON_KINDS, RECORD_KINDS, schema_file
from schemas.errors import Unreadable
from schemas.events import ShopifyOrderSeen
from schemas.raw import RawHeaders

EXAMPLES = sorted((SCHEMAS / "examples").glob("*.json"))
KINDS = {model.__name__: model for model in RECORD_KINDS}
CODEC = Codec(AVRO_KINDS)


def model_of(example: Path) -> type[BaseModel]:
    """`Case.closed.json` is an example of `Case`."""
    return KINDS[example.name.partition(".")[0]]


def named(file: Path) -> str:
    return file.name


def test_every_record_kind_has_an_example_and_every_example_a_kind() -> None:
    assert {file.name.partition(".")[0] for file in EXAMPLES} == set(KINDS)
    assert all((SCHEMAS / "examples" / f"{name}.json").exists() for name in KINDS)


@pytest.mark.parametrize("file", EXAMPLES, ids=named)
def test_an_example_holds_every_field_and_says_the_same_when_written_again(file: Path) -> None:
    shown = json.loads(file.read_text())
    record = model_of(file).model_validate(shown)

    written_again = json.loads(record.model_dump_json())

    assert written_again == shown, f"{file.name}: add what is new, then run `make schemas`"


@pytest.mark.parametrize("file", [file for file in EXAMPLES if model_of(file) in AVRO_KINDS], ids=named)
def test_avro_brings_back_the_very_record_and_the_very_bytes(file: Path) -> None:
    record = model_of(file).model_validate_json(file.read_bytes())

    value, headers = CODEC.encode(record)
    back = CODEC.decode(value, headers)

    assert back == record
    assert CODEC.encode(back) == (value, headers)
    assert headers == {"kind": type(record).__name__.encode(), "schema": fingerprint(schema_of(type(record))).encode()}


@pytest.mark.parametrize("model", AVRO_KINDS, ids=lambda model: model.__name__)
def test_this_release_writes_the_bytes_that_are_kept(model: type[BaseModel]) -> None:
    golden = SCHEMAS / "history" / Path(schema_file(model)).with_suffix(".hex")
    if not golden.exists():
        pytest.fail(f"{model.__name__} changed and its bytes are not kept: run `make schemas` and commit {golden.name}")

    assert written(model).hex() == golden.read_text().strip(), (
        f"examples/{model.__name__}.json is not what {golden.name} holds: a kept example stays as it is; "
        f"write another beside it, examples/{model.__name__}.<what>.json"
    )


@pytest.mark.parametrize("golden", sorted((SCHEMAS / "history").glob("*.hex")), ids=named)
def test_bytes_of_every_release_can_still_be_read(golden: Path) -> None:
    kind, schema, _ = golden.name.split(".")

    record = CODEC.decode(bytes.fromhex(golden.read_text()), {"kind": kind.encode(), "schema": schema.encode()})

    assert type(record).__name__ == kind


def test_headers_of_raw_records_survive_the_log() -> None:
    headers = RawHeaders.model_validate_json((SCHEMAS / "examples" / "RawHeaders.json").read_bytes())

    assert RawHeaders.load(headers.dump()) == headers


@pytest.mark.parametrize("missing", ["brand", "system", "kind", "read_started_at"])
def test_a_raw_record_without_a_header_is_unreadable_and_says_which(missing: str) -> None:
    headers = RawHeaders.model_validate_json((SCHEMAS / "examples" / "RawHeaders.json").read_bytes()).dump()
    del headers[missing]

    with pytest.raises(Unreadable, match=f"a header '{missing}'"):
        RawHeaders.load(headers)


@pytest.mark.parametrize("model", JSON_KINDS, ids=lambda model: model.__name__)
def test_a_field_nobody_knows_is_refused(model: type[BaseModel]) -> None:
    body = json.loads((SCHEMAS / "examples" / f"{model.__name__}.json").read_text())

    with pytest.raises(ValidationError, match="nobody_knows_it"):
        model.model_validate({**body, "nobody_knows_it": 1})


def test_bytes_of_an_unknown_schema_are_unreadable_and_say_so() -> None:
    with pytest.raises(Unreadable, match="was it written by a newer one"):
        CODEC.decode(b"", {"kind": b"Tick", "schema": b"0123456789abcdef"})


def test_broken_bytes_are_unreadable() -> None:
    schema = fingerprint(schema_of(KINDS["Tick"])).encode()

    with pytest.raises(Unreadable, match="Tick value: expected bytes of schema"):
        CODEC.decode(b"\x02", {"kind": b"Tick", "schema": schema})


def test_history_ships_with_the_package() -> None:
    assert {file.name for file in files("schemas").joinpath("history").iterdir()} == {
        file.name for file in (SCHEMAS / "history").iterdir()
    }


def test_keeping_schemas_twice_writes_nothing_the_second_time(tmp_path: Path) -> None:
    examples = tmp_path / "examples"
    examples.mkdir()
    for file in EXAMPLES:
        (examples / file.name).write_bytes(file.read_bytes())

    first = keep_schemas(tmp_path)

    assert len(first) == len(RECORD_KINDS) + len(AVRO_KINDS)
    assert keep_schemas(tmp_path) == ()


def test_an_example_that_lacks_a_field_is_not_kept(tmp_path: Path) -> None:
    examples = tmp_path / "examples"
    examples.mkdir()
    for file in EXAMPLES:
        (examples / file.name).write_bytes(file.read_bytes())
    hint = json.loads((examples / "Hint.json").read_text())
    (examples / "Hint.json").write_text(json.dumps({name: hint[name] for name in hint if name != "trace"}))

    with pytest.raises(IncompatibleError, match=r"examples/Hint\.json: expected every field, trace is not there"):
        keep_schemas(tmp_path)

    assert not (tmp_path / "history").exists()


def test_what_cannot_be_read_is_told_by_its_place_and_not_by_what_it_holds() -> None:
    """Such a text ends a process, and so stands in its log: here of a field that a newer release has added."""
    newer = json.loads((SCHEMAS / "examples/ShopifyOrderSeen.json").read_text())
    newer["snapshot"]["personal"]["ship_to"]["doorbell"] = "R. Example, 2nd floor"

    with pytest.raises(ValidationError) as refused:
        ShopifyOrderSeen.model_validate_json(json.dumps(newer))

    assert "snapshot.personal.ship_to.doorbell" in str(refused.value)
    assert "R. Example" not in str(refused.value)
