"""`make bench`: the live side beside plain Strawberry and a bare writer in C, on two cores, in one table.

The server has one core, the generator and everything else the other. Repeats are interleaved, figures are
medians; what counts are the ratios, since machines differ.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.children import VAR, allow_many_files
from bench.deeds import deeds
from bench.demonstration import copy, fill, url_of
from bench.figures import percentile, weighted
from bench.live import BALLOTS, Bench, Plan, Storm, Tempo

BUSY = 0.9
"""A generator that uses more of its core may be what was measured."""

FULL, QUICK = Plan(6.0, 12.0, 50, 15.0), Plan(2.0, 3.0, 10, 3.0)
FULL_SIZES, QUICK_SIZES = (5_000, 10_000), (500,)

console = Console(width=150)


class Figures:
    """Storms by kind and size, as they were repeated."""

    def __init__(self) -> None:
        self._storms: dict[tuple[str, int], list[Storm]] = {}

    def add(self, kind: str, watchers: int, storm: Storm) -> None:
        self._storms.setdefault((kind, watchers), []).append(storm)

    def median(self, kind: str, watchers: int, of: Callable[[Storm], float]) -> float | None:
        storms = self._storms.get((kind, watchers))
        return statistics.median(map(of, storms)) if storms else None

    def first(self, kind: str, watchers: int) -> Storm:
        return self._storms[kind, watchers][0]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _ratio(value: float | None, to: float | None) -> str:
    return f"{value / to:.2f}" if value and to else ""


def _load(*shares: float | None) -> str:
    given = [share for share in shares if share is not None]
    return " · ".join(f"{share:.2f}{'!' if share > BUSY else ''}" for share in given)


def _span(values: tuple[float, ...] | list[float]) -> str:
    return f"{percentile(values, 0.5):.1f} / {percentile(values, 0.99):.1f} ms"


KINDS = ("meilin", "strawberry", "writer")


def _row(
    table: Table,
    what: str,
    figures: Figures,
    watchers: int,
    of: Callable[[Storm], float],
    load: Callable[[Storm], float],
) -> None:
    meilin, strawberry, writer = (figures.median(kind, watchers, of) for kind in KINDS)
    table.add_row(
        what,
        _number(watchers),
        _number(meilin),
        _number(strawberry),
        _number(writer),
        _ratio(meilin, strawberry),
        _ratio(meilin, writer),
        _load(*(figures.median(kind, watchers, load) for kind in KINDS)),
    )


def _storm_rows(table: Table, figures: Figures, sizes: tuple[int, ...]) -> None:
    for watchers in sizes:
        size = figures.first("meilin", watchers).size
        what = f"messages a second, of {size:.0f} bytes"
        _row(table, what, figures, watchers, lambda s: s.messages, lambda s: s.load)
    for watchers in sizes:
        what = "connected and subscribed a second"
        _row(table, what, figures, watchers, lambda s: s.joined, lambda s: s.joined_load)
    for watchers in sizes:
        memory = [figures.median(kind, watchers, lambda s: s.memory) for kind in KINDS[:2]]
        table.add_row(
            "memory of an idle watcher",
            _number(watchers),
            *("" if each is None else f"{each / 1000:.1f} kB" for each in memory),
        )
    grown = figures.first("meilin", sizes[0])
    what = f"memory after {grown.grown_after:,} more messages"
    table.add_row(what, _number(sizes[0]), f"{grown.growth / 1e6:+.1f} MB")


def _tempo_rows(table: Table, watchers: int, tempi: tuple[Tempo, Tempo, Tempo]) -> None:
    ten, lone, casting = tempi

    def row(what: str, value: str, tempo: Tempo) -> None:
        table.add_row(what, _number(watchers), value, "", "", "", "", _load(tempo.load))

    def delivered(what: str, tempo: Tempo) -> None:
        each = [weighted(tempo.deliveries.each, share) for share in (0.5, 0.99)]
        row(f"{what}: delivered", f"{each[0]:.1f} / {each[1]:.1f} ms", tempo)
        row(f"{what}: the last watcher", _span(tempo.deliveries.last), tempo)
        if tempo.queries:
            row(f"{what}: a query beside", _span(tempo.queries), tempo)

    delivered("10 changes a second", ten)
    delivered(f"{len(lone.deliveries.last)} lone changes", lone)
    delivered("while ballots are cast", casting)
    row("while ballots are cast: a ballot", _span(casting.casting), casting)
    row(f"ballots acknowledged a second, of {BALLOTS:.0f}", f"{casting.ballots:.0f}", casting)


async def _measure(bench: Bench, sizes: tuple[int, ...], repeats: int) -> Figures:
    figures = Figures()
    for repeat in range(repeats):
        for watchers in sizes:
            console.log(f"{watchers:,} watchers, repeat {repeat + 1} of {repeats}")
            grow = repeat == 0 and watchers == sizes[0]
            figures.add("meilin", watchers, await bench.storm("meilin", watchers, grow=grow))
            if watchers == sizes[0]:
                figures.add("strawberry", watchers, await bench.storm("strawberry", watchers))
            figures.add("writer", watchers, await bench.write(watchers))
    return figures


async def _deeds(table: Table, demonstration: Path) -> None:
    with tempfile.TemporaryDirectory(dir=VAR) as directory:
        file = Path(directory) / "meilin.sqlite3"
        copy(demonstration, file)
        for what, value in await deeds(url_of(file)):
            table.add_row(what, "", value)


async def main(quick: bool) -> None:
    sizes, plan, repeats = (QUICK_SIZES, QUICK, 1) if quick else (FULL_SIZES, FULL, 3)
    if allow_many_files() < 2 * max(sizes):
        console.log("[red]few descriptors; raise the hard limit (ulimit -Hn)")
    table = Table(
        "what", *(["watchers", "meilin", "Strawberry", "C writer"]), "÷ Strawberry", "÷ writer", "load"
    )
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    VAR.mkdir(parents=True, exist_ok=True)
    demonstration = VAR / "demonstration.sqlite3"
    console.log("the demonstration")
    await fill(demonstration)
    bench = Bench(demonstration, plan)
    await _deeds(table, demonstration)
    table.add_section()
    _storm_rows(table, await _measure(bench, sizes, repeats), sizes)
    for watchers in sizes:
        console.log(f"{watchers:,} watchers, delivery times")
        table.add_section()
        _tempo_rows(table, watchers, await bench.tempi(watchers))
    console.print(table)
    console.print(f"p50 / p99. load: the generator's share of its core; over {BUSY} (!) it may be the limit.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="500 watchers, once, in less than a minute")
    asyncio.run(main(parser.parse_args().quick))
