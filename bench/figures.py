"""What was seen, and its percentiles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

TENTH = 100_000
"""Nanoseconds of one slot of the generator's arrivals."""


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def weighted(values: Iterable[tuple[float, int]], share: float) -> float:
    """Of values of which each was seen so many times."""
    ordered = sorted(values)
    left = share * sum(times for _, times in ordered)
    for value, times in ordered:
        left -= times
        if left < 0:
            return value
    return ordered[-1][0] if ordered else float("nan")


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Milliseconds from changes to their watchers: of each delivery, and of the last one of each change.

    `short`: how many changes did not reach every watcher, since newer ones overtook them.
    """

    each: list[tuple[float, int]]
    last: list[float]
    short: int


def deliveries(
    versions: Sequence[dict[str, Any]], rounds: Sequence[Sequence[int]], watchers: int
) -> Deliveries:
    changed = {version: at for version, at, _ in rounds}
    each: list[tuple[float, int]] = []
    last: list[float] = []
    short = 0
    for version in versions:
        at = changed.get(version["version"])
        if at is None:
            continue
        first = version["first"] - at
        each += [((first + (slot + 0.5) * TENTH) / 1e6, times) for slot, times in version["arrivals"]]
        last.append((version["last"] - at) / 1e6)
        short += version["watchers"] < watchers
    return Deliveries(each, last, short)


@dataclass(frozen=True, slots=True)
class Load:
    """Shares of a core: what the server used of its own, and the generator of the other."""

    server: float
    generator: float


@dataclass(frozen=True, slots=True)
class Storm:
    """A second: `messages` and `joined` watchers. `memory` is bytes per idle watcher, `growth` bytes after
    `grown_after` more messages.
    """

    messages: float
    size: float
    load: Load
    joined: float
    joined_load: Load
    memory: float = 0.0
    growth: int = 0
    grown_after: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """Milliseconds; `ballots`: acknowledged a second."""

    deliveries: Deliveries
    load: Load
    queries: tuple[float, ...] = ()
    ballots: float = 0.0
    casting: tuple[float, ...] = ()
