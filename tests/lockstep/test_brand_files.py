"""Every mistake in a brand's file is named: which file, where in it, what was expected, what was found."""

from pathlib import Path

import pytest

from lockstep.brand_files import ConfigurationError, read_brand
from tests.lockstep.brands import brand_file


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    config = read_brand(brand_file(tmp_path))

    assert (config.brand, config.mode, config.version) == ("acme", "live", 0)
    assert [(rule.location, rule.warehouse) for rule in config.warehouses] == [("11", "LDS1")]
    assert config.waits.hold == 3600
    assert config.waits.tracking == 600, "what is left out has its default"


@pytest.mark.parametrize(
    ("changed", "to", "said"),
    [
        pytest.param(
            "reference_prefix =",
            "referense_prefix =",
            "referense_prefix: expected a known name, found 'referense_prefix'; did you mean 'reference_prefix'?",
            id="a typo at the top",
        ),
        pytest.param(
            "hold = 3600",
            "holds = 3600",
            "waits.holds: expected a known name, found 'holds'; did you mean 'hold'?",
            id="a typo in a table",
        ),
        pytest.param(
            'service = "NEXTDAY"',
            'service = "NEXTDAY"\nzebra = 1',
            "shipping.0.zebra: expected a known name, found 'zebra'; known are carrier, code, ",
            id="nothing like it",
        ),
        pytest.param(
            "[[shipping]]",
            '[[bundles]]\nsku = "SET"\ncomponents = [{ sku = "CUP", quantety = 2 }]\n\n[[shipping]]',
            "bundles.0.components.0.quantety: expected a known name, found 'quantety'; did you mean 'quantity'?",
            id="a typo inside a list of a list",
        ),
        pytest.param('account = "ACME"\n', "", "account: expected a value, found none", id="one is missing"),
        pytest.param(
            'warehouse = "LDS1"\n', "", "warehouses.0.warehouse: expected a value, found none", id="missing in a list"
        ),
        pytest.param('mode = "live"', 'mode = "on"', "mode: expected 'live' or 'observe', found 'on'", id="word"),
        pytest.param(
            "hold = 3600", 'hold = "soon"', "waits.hold: expected a valid integer, found 'soon'", id="a number"
        ),
        pytest.param(
            "release_from = 2026-11-02T00:00:00Z\n",
            "",
            "release_from: expected a moment from which orders are released when mode is live, found none",
            id="live without a beginning",
        ),
        pytest.param(
            "release_from = 2026-11-02T00:00:00Z",
            "release_from = 2026-11-02T00:00:00",
            "release_from: expected a moment with its time zone",
            id="a moment without its zone",
        ),
        pytest.param(
            'code = "standard"\n',
            "",
            "shipping.0: expected a code, a title or a condition to recognise the shipping line by, found none",
            id="a rule that matches nothing",
        ),
        pytest.param(
            "[[shipping]]",
            '[[warehouses]]\nlocation = "11"\nwarehouse = "MAN1"\n\n[[shipping]]',
            "warehouses: expected each location once, found 11 more than once",
            id="a location twice",
        ),
        pytest.param(
            'account = "ACME"',
            'account = "ACME"\nelsewhere = ["11"]',
            "elsewhere: expected locations without a warehouse, found 11, which LDS1 serves",
            id="a location that is ours and is not",
        ),
        pytest.param(
            'prefix = "ACME"', 'prefix = "acme-uk"', "reference_prefix: expected text of the form ^[A-Z", id="form"
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, changed: str, to: str, said: str) -> None:
    path = brand_file(tmp_path, changed, to)

    with pytest.raises(ConfigurationError) as refused:
        read_brand(path)

    assert any(line.startswith(f"{path}: {said}") for line in str(refused.value).splitlines()), str(refused.value)


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    path = brand_file(tmp_path, 'account = "ACME"', 'acount = "ACME"')

    with pytest.raises(ConfigurationError) as refused:
        read_brand(path)

    assert sorted(str(refused.value).splitlines()) == [
        f"{path}: account: expected a value, found none",
        f"{path}: acount: expected a known name, found 'acount'; did you mean 'account'?",
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="expected a readable file, found No such file or directory"):
        read_brand(tmp_path / "nobody.toml")


def test_a_file_that_is_not_toml(tmp_path: Path) -> None:
    path = brand_file(tmp_path, 'mode = "live"', "mode = live")

    with pytest.raises(ConfigurationError, match=r"expected TOML, found Invalid value \(at line 2"):
        read_brand(path)


def test_a_file_may_begin_with_the_mark_that_windows_writes(tmp_path: Path) -> None:
    path = brand_file(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_brand(path).brand == "acme"


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    path = brand_file(tmp_path)
    path.write_text("# Größe\n" + path.read_text(), encoding="latin-1")
    with pytest.raises(ConfigurationError, match=r"acme\.toml: expected text in UTF-8, found byte 4 of another kind"):
        read_brand(path)
