"""What is shipped: a wheel with all it reads, an image without the sandbox, a compose file that plays every role."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from lockstep.roles import Role
from lockstep.settings import Settings
from tests.containers import IMAGE
from tests.lockstep.test_docs import VARIABLES, commands
from tests.paths import ROOT

PACKAGES = ("schemas", "kernel", "streams", "connectors", "sandbox", "lockstep")
READ_AT_RUN_TIME = {".graphql", ".json", ".avsc", ".toml", ".txt", ".typed"}
KNOWN = {variable for _, _, variable in VARIABLES} | {"LOCKSTEP_CACHE"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])


def test_every_role_is_a_service_of_its_own(services: dict[str, Any]) -> None:
    played = {
        name: service["command"][1] for name, service in services.items() if service.get("command", [""])[0] == "run"
    }

    assert played == {role: role for role in Role}


def test_every_command_of_a_service_can_be_typed(services: dict[str, Any]) -> None:
    words = {
        name: " ".join(word for word in service["command"][:2] if not word.startswith("-"))
        for name, service in services.items()
        if service.get("command") and not service["command"][0].startswith("-")
    }

    assert {
        name: said for name, said in words.items() if said not in commands() and said.partition(" ")[0] != "run"
    } == {}


def test_every_variable_of_a_service_is_read_and_valid(
    services: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in services.values():
        ours = {name: value for name, value in service["environment"].items() if name.startswith("LOCKSTEP_")}
        assert set(ours) <= KNOWN
        with monkeypatch.context() as environment:
            for name, value in ours.items():
                assert isinstance(value, str), f"{name}: a number must be quoted"
                environment.setenv(name, value)
            Settings()


def test_nothing_is_reachable_but_on_loopback(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert ports == ["127.0.0.1:8080:8080"]
    assert not [name for name, service in services.items() if service.get("network_mode") or service.get("privileged")]


def test_roles_start_when_topics_are_there_and_topics_when_kafka_answers(services: dict[str, Any]) -> None:
    assert services["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    assert all(
        services[role]["depends_on"] == {"topics": {"condition": "service_completed_successfully"}} for role in Role
    )


def test_every_lasting_service_has_a_health_check(services: dict[str, Any]) -> None:
    lasting = {name: service for name, service in services.items() if service.get("restart") == "unless-stopped"}

    assert set(lasting) == {"kafka", *Role}
    assert all(service["healthcheck"]["test"][0] == "CMD" for service in lasting.values())


def test_the_broker_is_the_one_the_tests_run_on(services: dict[str, Any]) -> None:
    kafka = services["kafka"]

    assert kafka["image"] == IMAGE
    assert kafka["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def stages() -> dict[str, str]:
    """Stage name → its lines."""
    parts = re.split(r"^FROM (\S+) AS (\S+)$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    return {name: body for _, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)}


def test_the_image_is_installed_by_hash_and_runs_as_nobody_special() -> None:
    made = stages()

    assert set(made) == {"base", "sandbox", "production"}
    for stage in ("sandbox", "production"):
        assert "--mount=type=secret,id=pip,target=/etc/pip.conf pip install --require-hashes -r" in made[stage]
        assert made[stage].index("COPY lockstep") < made[stage].index("USER 10001")
    assert (ROOT / "Dockerfile").read_text().startswith("#")


def test_the_image_holds_every_package_the_sandbox_only_where_it_plays() -> None:
    copied = {name: set(re.findall(r"^COPY (\w+) \w+$", body, re.MULTILINE)) for name, body in stages().items()}

    assert copied["sandbox"] == set(PACKAGES)
    assert copied["production"] == set(PACKAGES) - {"sandbox"}


def test_what_the_image_copies_is_let_into_its_build() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert let_in == {*PACKAGES, "requirements.txt", "requirements-dev.txt"}


def test_the_wheel_holds_what_is_read_at_run_time(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    wanted = {
        str(file.relative_to(tmp_path))
        for package in PACKAGES
        for file in (tmp_path / package).rglob("*")
        if file.suffix in {".py", *READ_AT_RUN_TIME}
    }

    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            "out",
            ".",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=120,
    )

    (wheel,) = (tmp_path / "out").glob("lockstep-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        assert wanted - set(opened.namelist()) == set()
