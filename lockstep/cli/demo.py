"""`demo`: a whole day on a laptop."""

import asyncio
import json
import logging
import os
import shlex
import signal
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kernel.logs import configure
from lockstep.cli.common import out, say_wrong
from lockstep.cli.destinations import file_to_write
from lockstep.demo.board import Board, LiveBoard, PlainBoard, print_report
from lockstep.demo.play import DemoError, Ended, Plan, Sale, play
from lockstep.demo.processes import ProcessFailedError
from sandbox.kafka import KafkaFailedError
from sandbox.kafka.cluster import EXTERNAL_BOOTSTRAP
from sandbox.tryton import TrytonFailedError


class FaultsWanted(StrEnum):
    NONE = "none"
    SOME = "some"
    MANY = "many"


class ErpWanted(StrEnum):
    TRYTON = "tryton"
    SANDBOX = "sandbox"


def demo(
    orders: Annotated[int, typer.Option(min=1, help="how many orders the shoppers place")] = 60,
    rate: Annotated[float, typer.Option(min=0.01, help="orders a second, over all shops")] = 2.0,
    seed: Annotated[int, typer.Option(help="decides who orders what and which faults happen")] = 7,
    faults: Annotated[FaultsWanted, typer.Option(help="how much goes wrong outside")] = FaultsWanted.SOME,
    erp: Annotated[
        ErpWanted, typer.Option(help="a real Tryton, or the small sandbox ERP for high rates")
    ] = ErpWanted.TRYTON,
    kill: Annotated[
        bool, typer.Option("--kill", help="kill a worker and a connector in the middle, and start them again")
    ] = False,
    sale: Annotated[
        bool, typer.Option("--sale", help="a flash sale: stock is counted, and nothing may be sold twice")
    ] = False,
    buyers: Annotated[int, typer.Option(min=1, help="with --sale: how many want something within a minute")] = 500,
    units: Annotated[int, typer.Option(min=1, help="with --sale: how many there are")] = 100,
    hands: Annotated[
        int,
        typer.Option(min=0, help="with --sale: so often people act on the stock, in each system"),
    ] = 8,
    naive_stock: Annotated[
        bool, typer.Option("--naive-stock", help="with --sale: the control, Clarus' figure straight to available")
    ] = False,
    plain: Annotated[bool, typer.Option("--plain", help="lines instead of a board")] = False,
    report: Annotated[
        Path | None, typer.Option(callback=file_to_write, help="write the verdict there, as JSON")
    ] = None,
    books: Annotated[
        Path | None,
        typer.Option(
            callback=file_to_write,
            help="write the three systems' own books there, as JSON, for a look behind the verdict",
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="seconds from the first order to give up after")] = 480.0,
    stay: Annotated[
        bool, typer.Option("--stay", help="keep everything running after the verdict, to look around; Ctrl-C ends it")
    ] = False,
) -> None:
    """Run a whole day on this machine: real Kafka, real processes, a sandbox Shopify and Clarus, Tryton as the ERP.

    Two brands' shoppers order, the warehouse picks, the ERP posts, shoppers are told; some orders are incomplete, some
    webhooks get lost, some answers too. Half-way a shipping line that was not mapped is, and a person lets an order go
    that is on account. It ends by itself with a verdict from the three systems' own books: exit code 0 only when they
    are in step. Nothing outside this machine is touched.
    """
    configure("demo", logging.ERROR)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what clients grumble while a broker starts is no news
    plan = Plan(
        orders,
        rate,
        seed,
        faults.value,
        erp.value,
        kill,
        timeout,
        bootstrap=os.environ.get(EXTERNAL_BOOTSTRAP),
        sale=Sale(buyers, units, naive=naive_stock, hands=hands) if sale else None,
    )
    board: Board = PlainBoard(out) if plain or not out.is_terminal else LiveBoard(out)

    async def at_the_end(ended: Ended) -> None:
        _tell(ended, report, books)
        if stay:
            await _stay(ended)

    try:
        verdict = asyncio.run(play(plan, board, at_the_end))
    except KeyboardInterrupt:
        out.print("stopped; everything that was started has been ended.")
        raise typer.Exit(130) from None
    except (DemoError, ProcessFailedError, KafkaFailedError, TrytonFailedError) as failed:
        say_wrong("lockstep demo", failed)
        raise typer.Exit(2) from failed
    raise typer.Exit(0 if verdict.in_step else 1)


def _tell(ended: Ended, report: Path | None, books: Path | None) -> None:
    print_report(out, ended.report)
    if books is not None:
        books.write_text(json.dumps(asdict(ended.books), indent=1, default=str) + "\n")
        _line(f"books: {books}")
    if report is not None:
        report.write_text(ended.report.model_dump_json(indent=1) + "\n")
        _line(f"report: {report}")


async def _stay(ended: Ended) -> None:
    """Until Ctrl-C, which then only ends what runs: the verdict stands."""
    told = {"PATH": f"{shlex.quote(str(Path(sys.executable).parent))}:$PATH"}
    told |= {name: shlex.quote(value) for name, value in ended.environment.items()}
    _line("\nEverything still runs. In another terminal:\n")
    for name, value in told.items():
        _line(f"export {name}={value}")
    _line("\nthen for example `lockstep case list` or `lockstep show acme/ORDER`. Each process tells of itself at")
    _line("/health/ready, /health/live and /metrics of:\n")
    for name, address in ended.health.items():
        _line(f"{name}={address}")
    _line("\nCtrl-C ends it.")
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, asked.set)
    await asked.wait()
    loop.remove_signal_handler(signal.SIGINT)


def _line(text: str) -> None:
    """As it is, so that it can be copied."""
    out.print(text, highlight=False, markup=False, soft_wrap=True)
