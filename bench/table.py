"""The one table that `make bench` prints."""

import statistics
from collections.abc import Callable, Iterable, Sequence

from rich import box
from rich.table import Table

from bench import reads as read
from bench.figures import Load, Pace, Storm, percentile, weighted
from bench.pace import BALLOTS

BUSY = 0.9
"""A generator that uses more of its core may be what was measured."""

NOTE = (
    "p50 / p99. Loads are shares of a core. In a storm the server should have all of its own, else somebody"
    f" else was there; over {BUSY} (!) the generator may be the limit."
)

Storms = Sequence[Storm]
Value = Callable[[Storm], float]


def empty_table() -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("what", no_wrap=True)
    for name in (
        "meilin",
        "Strawberry",
        "C writer",
        "÷ Strawberry",
        "÷ writer",
        "server's load",
        "generator's",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def reads_tables(engine: str, found: read.Reads) -> list[Table | str]:
    """Milliseconds of CPU a request, over HTTP; of the server alone, not of its database."""
    made_anew = _reads_table(
        f"{engine}: every answer made anew, ms of CPU a request",
        ("kB, ours / models", "ours", "graphql-core", "Strawberry, models", "÷ graphql-core", "÷ models"),
        read.rows_made_anew(found),
    )
    from_memory = _reads_table(
        f"{engine}: kept answers, ms of CPU a request",
        (*read.FROM_MEMORY, "hit ÷ ready", "with session"),
        read.rows_from_memory(found),
    )
    return [made_anew, *([from_memory] if from_memory.row_count else []), *found.skipped]


def _reads_table(what: str, columns: Iterable[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column(what, no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def add_actions(table: Table, actions: Iterable[tuple[str, str]]) -> None:
    table.add_row("[bold]single actions, without a server")
    for what, value in actions:
        table.add_row(what, value)


def add_storms(table: Table, watchers: int, meilin: Storms, strawberry: Storms, writer: Storms) -> None:
    kinds = (meilin, strawberry, writer)
    table.add_section()
    table.add_row(f"[bold]{watchers:,} watchers")
    _compare(table, f"messages a second, {meilin[0].size:.0f} bytes", kinds, _messages, lambda s: s.load)
    _compare(table, "connected, subscribed a second", kinds, _joined, lambda s: s.joined_load)
    memory = (f"{_median(storms, _memory) / 1000:.1f} kB" if storms else "" for storms in kinds[:2])
    table.add_row("memory of an idle watcher", *memory)
    for storm in meilin:
        if storm.grown_after:
            what = f"memory after {storm.grown_after:,} messages more"
            table.add_row(what, f"{storm.growth / 1e6:+.1f} MB")


def _messages(storm: Storm) -> float:
    return storm.messages


def _joined(storm: Storm) -> float:
    return storm.joined


def _memory(storm: Storm) -> float:
    return storm.memory


def _median(storms: Storms, value: Value) -> float:
    return statistics.median(map(value, storms))


def _compare(
    table: Table, what: str, kinds: Sequence[Storms], value: Value, load: Callable[[Storm], Load]
) -> None:
    medians = [_median(storms, value) if storms else None for storms in kinds]
    ratios = [f"{medians[0] / other:.2f}" if medians[0] and other else "" for other in medians[1:]]
    there = [storms for storms in kinds if storms]
    table.add_row(
        what,
        *("" if each is None else f"{each:,.0f}" for each in medians),
        *ratios,
        " · ".join(f"{_median(storms, lambda s: load(s).server):.2f}" for storms in there),
        " · ".join(_generator(_median(storms, lambda s: load(s).generator)) for storms in there),
    )


def _generator(load: float) -> str:
    return f"{load:.2f}{'!' if load > BUSY else ''}"


def add_paces(table: Table, ten: Pace, lone: Pace, casting: Pace) -> None:
    """Continues the section of as many watchers."""
    _delivered(table, "10 changes a second", ten)
    _delivered(table, f"{len(lone.deliveries.last)} lone changes", lone)
    _delivered(table, f"{casting.ballots:.0f} of {BALLOTS:.0f} ballots a second", casting)


def _delivered(table: Table, what: str, pace: Pace) -> None:
    each = pace.deliveries.each
    rows = [
        (f"{what}: delivered", f"{weighted(each, 0.5):.1f} / {weighted(each, 0.99):.1f} ms"),
        ("   the last watcher", _span(pace.deliveries.last)),
    ]
    if pace.queries:
        rows.append(("   a query beside", _span(pace.queries)))
    if pace.casting:
        rows.append(("   a ballot", _span(pace.casting)))
    loads = (f"{pace.load.server:.2f}", _generator(pace.load.generator))
    for index, (name, value) in enumerate(rows):
        table.add_row(name, value, "", "", "", "", *(loads if index == 0 else ()))


def _span(values: Sequence[float]) -> str:
    return f"{percentile(values, 0.5):.1f} / {percentile(values, 0.99):.1f} ms"
