"""`python -m sandbox.kafka`: a broker in the foreground; its address on standard output, progress on standard error."""

import argparse
import signal
import sys

from sandbox.kafka.cluster import Cluster


def _end(*_: object) -> None:
    raise SystemExit(0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.kafka", description=__doc__)
    parser.add_argument("--brokers", type=int, default=1, help="how many brokers form the cluster (1)")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    with Cluster(wanted.brokers, progress=lambda line: print(line, file=sys.stderr, flush=True)) as cluster:  # noqa: T201 - a command line tells how far it is
        print(cluster.bootstrap, flush=True)  # noqa: T201 - the address is what it is started for
        signal.pause()


if __name__ == "__main__":
    main()
