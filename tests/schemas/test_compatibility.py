"""What a record kind may become: both ways, against every schema it was ever written with."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, create_model

from lockstep.schema_files import SCHEMAS, IncompatibleError, keep_schemas
from schemas.avro import fingerprint, past_schemas, schema_of
from schemas.base import Frozen
from schemas.compatibility import RECORD_KINDS, breaches, not_kept, schema_file


class Parcel(Frozen):
    """Stands for any record kind."""

    number: str
    weight: int = 0


def parcel(**fields: Any) -> dict[str, Any]:
    """The schema of another release's Parcel. A field is (type, default), with ... for none."""
    return schema_of(create_model("Parcel", __base__=Frozen, **fields))


NOW = schema_of(Parcel)


def test_every_present_schema_is_kept() -> None:
    missing = not_kept(RECORD_KINDS, past_schemas())

    assert not missing, (
        f"{', '.join(model.__name__ for model in missing)} changed and the new schema is not kept: run `make schemas` "
        f"and commit {', '.join(f'schemas/history/{schema_file(model)}' for model in missing)}"
    )


@pytest.mark.parametrize("model", RECORD_KINDS, ids=lambda model: model.__name__)
def test_every_release_reads_every_other(model: type[BaseModel]) -> None:
    kept = [json.loads(file.read_text()) for file in sorted((SCHEMAS / "history").glob(f"{model.__name__}.*.avsc"))]

    said = [breach for one in kept for breach in breaches(schema_of(model), one)]

    assert not said, "\n".join(said)


def test_every_kept_schema_is_of_a_kind_we_know() -> None:
    known = {model.__name__ for model in RECORD_KINDS}
    assert {schema["name"] for schema in past_schemas()} <= known


def test_a_kept_schema_bears_the_fingerprint_of_its_content() -> None:
    for file in (SCHEMAS / "history").glob("*.avsc"):
        kind, print_, _ = file.name.split(".")
        kept = json.loads(file.read_text())
        assert (kept["name"], fingerprint(kept)) == (kind, print_)


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(parcel(number=(str, ...), weight=(int, 0)), id="the same"),
        pytest.param(parcel(number=(str, ...)), id="a field was added with a default"),
        pytest.param(parcel(number=(str, ...), weight=(int, 0), colour=(str, "")), id="a field with a default went"),
        pytest.param(parcel(weight=(int, 0), number=(str, ...)), id="the order of fields"),
        pytest.param(parcel(number=(str, "none"), weight=(int, 5)), id="other defaults"),
    ],
)
def test_allowed(kept: dict[str, Any]) -> None:
    assert breaches(NOW, kept) == ()


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        pytest.param(
            parcel(weight=(int, 0)),
            "Parcel.number: new and without a default",
            id="a field was added without a default",
        ),
        pytest.param(
            parcel(number=(str, ...), weight=(int, 0), colour=(str, ...)),
            "Parcel.colour: removed, and it never had a default",
            id="a field without a default went",
        ),
        pytest.param(
            parcel(number=(int, ...), weight=(int, 0)),
            "Parcel.number: the type changed from long to string",
            id="a type changed",
        ),
        pytest.param(
            parcel(number=(str, ...), weight=(int | None, 0)),
            "Parcel.weight: the type changed from a union to long",
            id="no longer optional",
        ),
    ],
)
def test_refused(kept: dict[str, Any], said: str) -> None:
    (found,) = breaches(NOW, kept)

    assert found.startswith(said)


def test_a_change_deep_inside_is_found_with_its_path() -> None:
    class Box(Frozen):
        parcels: tuple[Parcel, ...]
        spare: Parcel | None = None

    before = json.loads(
        json.dumps(schema_of(Box)).replace('"name": "number", "type": "string"', '"name": "n", "type": "long"')
    )

    assert breaches(schema_of(Box), before) == (
        "Box.parcels[].number: new and without a default; give it one, or older records cannot be read",
        "Box.parcels[].n: removed, and it never had a default; keep it, or an older reader cannot read us",
        "Box.spare.number: new and without a default; give it one, or older records cannot be read",
        "Box.spare.n: removed, and it never had a default; keep it, or an older reader cannot read us",
    )


def test_a_union_must_keep_its_branches() -> None:
    before = parcel(number=(str | int, ...), weight=(int, 0))
    now = parcel(number=(str | None, ...), weight=(int, 0))

    (found,) = breaches(now, before)

    assert found.startswith("Parcel.number: the type changed from long or string to null or string")


def test_an_incompatible_change_is_not_kept(tmp_path: Path) -> None:
    shutil.copytree(SCHEMAS / "examples", tmp_path / "examples")
    history = tmp_path / "history"
    history.mkdir()
    older = json.loads(json.dumps(schema_of(next(m for m in RECORD_KINDS if m.__name__ == "Tick"))))
    older["fields"].append({"name": "phase", "type": "string"})
    (history / "Tick.0000000000000000.avsc").write_text(json.dumps(older))

    with pytest.raises(IncompatibleError, match=r"Tick\.phase: removed.*kept in Tick\.0000000000000000\.avsc"):
        keep_schemas(tmp_path)

    assert [file.name for file in history.iterdir()] == ["Tick.0000000000000000.avsc"]


def test_a_changed_model_that_nobody_kept_is_named() -> None:
    changed = create_model("Tick", __base__=Frozen, at=(int, ...))

    assert not_kept([changed], past_schemas()) == (changed,)
