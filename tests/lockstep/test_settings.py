"""Settings and connections: from variables and files, secrets masked, every gap named with what to do."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kernel.clock import SystemClock
from lockstep.cli.app import program
from lockstep.cli.common import settings
from lockstep.ports.shopify import shopify_port
from lockstep.ports.translators import translators
from lockstep.settings import Settings, SettingsError, TrytonConnection, read_connections
from schemas.base import Brand
from tests.lockstep.brands import brand_file, connections_file

ACME = Brand("acme")


@pytest.fixture(autouse=True)
def secrets_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_SHOPIFY_TOKEN", "from-the-environment")
    monkeypatch.setenv("ACME_WEBHOOK_SECRET", "hook-secret")


def test_secrets_are_fetched_from_where_the_platform_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_WEBHOOK_SECRET", "hook-secret\n")

    acme = read_connections(Settings(connections=connections_file(tmp_path)))[ACME]

    assert acme.shopify.token is not None
    assert acme.shopify.token.get_secret_value() == "from-the-environment"
    assert [one.get_secret_value() for one in acme.shopify.webhook_secrets] == ["hook-secret", "plain-secret"]
    assert acme.clarus.client_secret.get_secret_value() == "from-a-file", "the line break at its end is not part of it"
    assert isinstance(acme.erp, TrytonConnection)


def test_secrets_are_masked_wherever_connections_are_printed(tmp_path: Path) -> None:
    acme = read_connections(Settings(connections=connections_file(tmp_path)))[ACME]

    said = f"{acme} {acme!r} {acme.model_dump_json()}"

    assert not [
        secret for secret in ("from-the-env", "hook-secret", "from-a-file", "k7-path", "erp-key") if secret in said
    ]


@pytest.mark.parametrize(
    ("changed", "to", "said"),
    [
        pytest.param(
            "env:ACME_SHOPIFY_TOKEN",
            "env:NOT_SET_ANYWHERE",
            "acme.shopify.token: expected the environment variable NOT_SET_ANYWHERE, found none: set it",
            id="a variable that is not set",
        ),
        pytest.param(
            "/clarus-secret",
            "/gone",
            "acme.clarus.client_secret: expected the file of file:",
            id="a file that is not there",
        ),
        pytest.param(
            'client_id = "acme-api"\n', "", "acme.clarus.client_id: expected a value, found none", id="a value missing"
        ),
        pytest.param(
            'kind = "tryton"',
            'kind = "sap"',
            "acme.erp: expected 'kind' to be one of 'tryton', 'sandbox', found 'sap'",
            id="an ERP we do not speak",
        ),
        pytest.param(
            'webhook_secrets = ["env:ACME_WEBHOOK_SECRET", "plain-secret"]',
            "webhook_secrets = []",
            "acme.shopify.webhook_secrets: expected 1 or more, found 0",
            id="no secret to check webhooks by",
        ),
        pytest.param(
            "shop_domain =",
            "shopdomain =",
            "acme.shopify.shopdomain: expected a known name, found 'shopdomain'",
            id="a typo",
        ),
        pytest.param("[acme.erp]", "[acme.erp", "expected TOML", id="not TOML"),
    ],
)
def test_a_mistake_names_file_place_and_expectation(tmp_path: Path, changed: str, to: str, said: str) -> None:
    path = connections_file(tmp_path, changed, to)

    with pytest.raises(SettingsError) as refused:
        read_connections(Settings(connections=path))

    assert str(path) in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize("empty", ["", " ", "env:EMPTY", "file:FOLDER/empty"])
@pytest.mark.parametrize(
    ("given", "where"),
    [
        ("env:ACME_SHOPIFY_TOKEN", "shopify.token"),
        ("plain-secret", "shopify.webhook_secrets.1"),
        ("file:FOLDER/clarus-secret", "clarus.client_secret"),
        ("k7-path-token", "clarus.path_token"),
        ("erp-key", "erp.tryton.key"),
    ],
)
def test_a_secret_that_is_empty_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, where: str, empty: str
) -> None:
    """With an empty one anybody could sign a webhook."""
    monkeypatch.setenv("EMPTY", "")
    (tmp_path / "empty").write_text("\n")
    path = connections_file(tmp_path, *(f'"{text}"'.replace("FOLDER", str(tmp_path)) for text in (given, empty)))

    with pytest.raises(SettingsError) as refused:
        read_connections(Settings(connections=path))

    assert str(refused.value) == f"{path}: acme.{where}: expected a secret, found an empty one"


@pytest.mark.parametrize(
    "address", ["http://acme.example.test", "http://10.0.0.7", "acme.example.test", "ftp://x.test"]
)
@pytest.mark.parametrize(("before", "where"), [('base_url = "https://acme.example.test"', "shopify"), ("", "clarus")])
def test_credentials_go_encrypted_or_stay_on_this_machine(
    tmp_path: Path, before: str, where: str, address: str
) -> None:
    def given(url: str) -> Path:
        table = f"[acme.{where}]\n"
        return connections_file(tmp_path, f"{table}{before}", f'{table}base_url = "{url}"\n')

    for good in ("https://acme.example.test", "http://127.0.0.1:9", "http://[::1]:9/acme", "http://localhost:9"):
        read_connections(Settings(connections=given(good)))
    with pytest.raises(SettingsError, match=rf"acme\.{where}\.base_url: expected an address that begins with https://"):
        read_connections(Settings(connections=given(address)))


def test_no_mistake_prints_a_secret(tmp_path: Path) -> None:
    path = connections_file(tmp_path, 'path_token = "k7-path-token"', 'pathtoken = "k7-path-token"')

    with pytest.raises(SettingsError) as refused:
        read_connections(Settings(connections=path))

    assert "k7-path-token" not in str(refused.value)


def test_without_connections_the_message_says_which_variable_and_where_to_read() -> None:
    with pytest.raises(SettingsError, match=r"LOCKSTEP_CONNECTIONS: expected the path .* docs/operate/settings\.md"):
        read_connections(Settings(connections=None))


def test_a_connections_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expected a readable file, found No such file or directory"):
        read_connections(Settings(connections=tmp_path / "nowhere.toml"))


def test_shopify_without_any_credentials_says_what_it_needs(tmp_path: Path) -> None:
    path = connections_file(tmp_path, 'token = "env:ACME_SHOPIFY_TOKEN"\n', "")
    brands = read_connections(Settings(connections=path))

    with pytest.raises(SettingsError, match=r"acme\.shopify: expected token, or client_id and client_secret"):
        shopify_port(brands, SystemClock())


def test_two_kinds_of_erp_in_one_cluster_are_refused(tmp_path: Path) -> None:
    path = connections_file(tmp_path)
    other = path.read_text().replace("[acme.", "[bella.").partition("[bella.erp]")[0]
    path.write_text(
        path.read_text() + other + '[bella.erp]\nkind = "sandbox"\nbase_url = "http://127.0.0.1:1"\nkey = "k"\n'
    )

    with pytest.raises(SettingsError, match="expected one kind of ERP for all brands, found sandbox, tryton"):
        translators(read_connections(Settings(connections=path)))


def test_settings_come_from_variables_nested_ones_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_PARTITIONS", "12")
    monkeypatch.setenv("LOCKSTEP_RUNTIME__POLL_EVERY", "15")

    chosen = settings()

    assert (chosen.partitions, chosen.runtime.poll_every) == (12, 15.0)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LOCKSTEP_PARTITIONS", "many", "LOCKSTEP_PARTITIONS: expected a valid integer, found 'many'"),
        (
            "LOCKSTEP_LOG_LEVEL",
            "loud",
            "LOCKSTEP_LOG_LEVEL: expected 'debug', 'info', 'warning' or 'error', found 'loud'",
        ),
        ("LOCKSTEP_INTAKE_PORT", "99999", "LOCKSTEP_INTAKE_PORT: expected a number less than or equal to 65535"),
        ("LOCKSTEP_INTAKE_PORT", "-1", "LOCKSTEP_INTAKE_PORT: expected a number greater than or equal to 0"),
        ("LOCKSTEP_HEALTH_PORT", "65536", "LOCKSTEP_HEALTH_PORT: expected a number less than or equal to 65535"),
        ("LOCKSTEP_HEALTH_PORT", "-1", "LOCKSTEP_HEALTH_PORT: expected a number greater than or equal to 0"),
        ("LOCKSTEP_RUNTIME", "abc", "LOCKSTEP_RUNTIME: expected JSON, found something else: set its parts one by one"),
        ("LOCKSTEP_SESSION_TIMEOUT", "0", "LOCKSTEP_SESSION_TIMEOUT: expected a number greater than 0, found '0'"),
        *(
            ("LOCKSTEP_KAFKA_BOOTSTRAP", wrong, "LOCKSTEP_KAFKA_BOOTSTRAP: expected host:port of one or more brokers")
            for wrong in ("", ":", "kafka", "kafka:", ":9092", "kafka:many", "kafka:0", "kafka:99999", "a:1,,b:2")
        ),
        ("LOCKSTEP_RUNTIME__WRITES_AT_ONCE", "0", "LOCKSTEP_RUNTIME__WRITES_AT_ONCE: expected a number greater"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as refused:
        settings()

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("bootstrap", ["kafka:9092", "a.example:1, b.example:65535", "[::1]:9092", "10.0.0.7:9092"])
def test_brokers_are_named_by_host_and_port(monkeypatch: pytest.MonkeyPatch, bootstrap: str) -> None:
    monkeypatch.setenv("LOCKSTEP_KAFKA_BOOTSTRAP", bootstrap)

    assert settings().kafka_bootstrap == bootstrap


NOTICES = """
[acme.notices]
zone = "Europe/London"

[[acme.notices.to]]
name = "ops"
url = "https://chat.example.test/T0/B0"
secret = "a-secret-of-sixteen"
"""


@pytest.mark.parametrize(
    ("changed", "to", "said"),
    [
        pytest.param("Europe/London", "Europe/Atlantis", "notices.zone: expected a time zone", id="zone"),
        pytest.param("https://", "ftp://", "notices.to.0.url: expected an address", id="address"),
        pytest.param("a-secret-of-sixteen", "short", "expected a secret of at least 16 bytes", id="short secret"),
        pytest.param("a-secret-of-sixteen", "whsec_?", "expected base64 after whsec_", id="no base64"),
        pytest.param(
            'name = "ops"', 'name = "The Ops"', "notices.to.0.name: expected text of the form ^[a-z]", id="name"
        ),
        pytest.param(
            NOTICES, NOTICES + NOTICES[NOTICES.index("[[") :], "each name once, found ops more than once", id="twice"
        ),
    ],
)
def test_a_notice_target_that_is_wrong_is_named_without_its_secrets(
    tmp_path: Path, changed: str, to: str, said: str
) -> None:
    path = connections_file(tmp_path)
    path.write_text(path.read_text() + NOTICES.replace(changed, to))

    with pytest.raises(SettingsError) as refused:
        read_connections(Settings(connections=path))

    assert said in str(refused.value)
    assert "chat.example" not in str(refused.value)
    assert "a-secret" not in str(refused.value)


def test_notice_targets_are_masked_when_printed(tmp_path: Path) -> None:
    path = connections_file(tmp_path)
    path.write_text(path.read_text() + NOTICES)

    acme = read_connections(Settings(connections=path))[ACME]

    assert acme.notices.to[0].name == "ops"
    assert "chat.example" not in f"{acme!r} {acme.model_dump_json()}"
    assert "a-secret" not in f"{acme!r} {acme.model_dump_json()}"


NOTICED = """
[[acme.notices.to]]
name = "chat"
url = "URL"
secret = "sixteen bytes and more"
"""


@pytest.mark.parametrize(
    "url", ["https://chat.example.test/x", "http://127.0.0.1:9/x", "http://[::1]/x", "http://localhost/"]
)
def test_a_notice_goes_encrypted_or_stays_on_this_machine(tmp_path: Path, url: str) -> None:
    (told,) = read_connections(Settings(connections=told_at(tmp_path, url)))[ACME].notices.to

    assert told.url.get_secret_value() == url


@pytest.mark.parametrize("url", ["http://chat.example.test/x", "http://10.0.0.7/x", "http://localhost.example.test/"])
def test_a_notice_that_would_travel_in_clear_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match=r"acme\.notices\.to\.0\.url: .*https://, found http:// .* in clear") as no:
        read_connections(Settings(connections=told_at(tmp_path, url)))

    assert url not in str(no.value), "an address is a secret"


@pytest.mark.parametrize("url", ["chat.example.test", "https://", "ftp://chat.example.test/"])
def test_what_is_no_address_for_notices(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="expected an address that begins with https://"):
        read_connections(Settings(connections=told_at(tmp_path, url)))


def test_connections_that_are_not_utf_8(tmp_path: Path) -> None:
    path = told_at(tmp_path, "https://chat.example.test/x")
    path.write_bytes(path.read_text().encode("utf-16"))
    with pytest.raises(SettingsError, match="expected text in UTF-8, found byte 0 of another kind"):
        read_connections(Settings(connections=path))


def test_config_check_says_when_the_brand_has_no_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_CONNECTIONS", str(told_at(tmp_path, "https://chat.example.test/x")))
    monkeypatch.setenv("COLUMNS", "500")
    checked = CliRunner().invoke(program(), ["config", "check", str(brand_file(tmp_path, brand="acmee"))])
    assert "look again: acmee has no table in" in checked.stdout
    assert "connected are acme" in checked.stdout


def test_config_check_looks_at_the_connections_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_CONNECTIONS", str(told_at(tmp_path, "https://chat.example.test/x")))
    monkeypatch.setenv("COLUMNS", "500")
    checked = CliRunner().invoke(program(), ["config", "check", str(brand_file(tmp_path))])
    assert "connections of 1 brands: good." in checked.stdout

    told_at(tmp_path, "http://chat.example.test/x")
    refused = CliRunner().invoke(program(), ["config", "check", str(brand_file(tmp_path))])

    assert isinstance(refused.exception, SettingsError)
    assert "acme.notices.to.0.url" in str(refused.exception)


def told_at(folder: Path, url: str) -> Path:
    """The good connections file, with notices to this address."""
    path = connections_file(folder)
    path.write_text(path.read_text() + NOTICED.replace("URL", url))
    return path
