"""`make bench`: the live side beside plain Strawberry and a bare writer in C, and reads, on two cores.

The server has one core, the generator and everything else the other. Repeats are interleaved, figures are
medians; what counts are the ratios, since machines differ.
"""

import argparse
import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from tortoise.backends.base.executor import EXECUTOR_CACHE

from bench.actions import actions
from bench.children import VAR, allow_many_files
from bench.demonstration import copy, fill, url_of
from bench.figures import Storm
from bench.live import Bench, Plan
from bench.reads import reads
from bench.table import NOTE, add_actions, add_paces, add_storms, empty_table, reads_tables
from tests.services import Postgres, running_postgres

FULL = Plan(window=6.0, pace=12.0, lone=50, growth=15.0, requests=100)
QUICK = Plan(window=2.0, pace=3.0, lone=10, growth=3.0, requests=50)

console = Console(width=160)


class Storms:
    """By kind and size."""

    def __init__(self) -> None:
        self._seen: defaultdict[tuple[str, int], list[Storm]] = defaultdict(list)

    async def see(self, bench: Bench, sizes: Sequence[int], *, first: bool) -> None:
        """Each kind once; Strawberry and the growth of memory only with as many watchers as asked first."""
        for watchers in sizes:
            smallest = watchers == sizes[0]
            storm = await bench.storm("meilin", watchers, grow=first and smallest)
            self._seen["meilin", watchers].append(storm)
            if smallest:
                self._seen["strawberry", watchers].append(await bench.storm("strawberry", watchers))
            self._seen["writer", watchers].append(await bench.write(watchers))

    def of(self, watchers: int) -> list[list[Storm]]:
        return [self._seen[kind, watchers] for kind in ("meilin", "strawberry", "writer")]


async def _actions_in_a_copy(demonstration: Path, room: Path) -> list[tuple[str, str]]:
    file = room / "actions.sqlite3"
    copy(demonstration, file)
    return await actions(url_of(file))


async def _print_reads(
    demonstration: Path, postgres: Postgres, room: Path, repeats: int, requests: int
) -> None:
    file, name = room / "reads.sqlite3", "reads"
    copy(demonstration, file)
    await postgres.run(f"CREATE DATABASE {name}")
    for engine, url in {"SQLite": url_of(file), "PostgreSQL": f"{postgres.url}/{name}"}.items():
        console.log(f"reads on {engine}")
        EXECUTOR_CACHE.clear()  # Tortoise keeps statements by table, in the words of the engine before
        await fill(url)
        console.print(*reads_tables(engine, await reads(url, room, repeats, requests)), sep="\n")


async def run(
    plan: Plan, sizes: Sequence[int], repeats: int, room: Path, postgres: Postgres, *, only_reads: bool
) -> None:
    if allow_many_files() < max(sizes) + 1000:
        console.log("[red]too few files may be open; raise the hard limit (ulimit -Hn)")
    demonstration = VAR / "demonstration.sqlite3"
    console.log("the demonstration is loaded")
    await fill(url_of(demonstration))
    await _print_reads(demonstration, postgres, room, repeats * 3, plan.requests)
    if only_reads:
        return
    table, bench, storms = empty_table(), Bench(demonstration, plan, room), Storms()
    add_actions(table, await _actions_in_a_copy(demonstration, room))
    for repeat in range(repeats):
        console.log(f"storms, {repeat + 1} of {repeats}")
        await storms.see(bench, sizes, first=repeat == 0)
    for watchers in sizes:
        console.log(f"delivery to {watchers:,} watchers")
        add_storms(table, watchers, *storms.of(watchers))
        add_paces(table, *await bench.paces(watchers))
    console.print(table, NOTE, sep="\n")


def main(given: argparse.Namespace) -> None:
    plan, sizes, repeats = (QUICK, [500], 1) if given.quick else (FULL, [5_000, 10_000], 3)
    VAR.mkdir(parents=True, exist_ok=True)
    sizes, repeats = given.watchers or sizes, given.repeats or repeats
    with tempfile.TemporaryDirectory(dir=VAR) as room, running_postgres(durable=True) as postgres:
        asyncio.run(run(plan, sizes, repeats, Path(room), postgres, only_reads=given.reads))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="500 watchers, once, in a few minutes")
    parser.add_argument("--watchers", type=int, nargs="+", help="how many; Strawberry meets only the first")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--reads", action="store_true", help="nothing but reads")
    main(parser.parse_args())
