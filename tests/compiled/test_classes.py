from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import ModuleType
from typing import Any

import pytest
from graphql.pyutils import Undefined

from compiled import classes
from compiled.classes import OrdinaryClasses, Surprise
from tests.compiled.both import Soon, named


class Slotted:
    __slots__ = ("a",)


class Color(Enum):
    RED = "r"


class Shy:
    def __getattr__(self, name: str) -> str:
        return name


class Watching:
    def __getattribute__(self, name: str) -> Any:
        return name


class Mask:
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return ValueError


async def later() -> None:
    pass


def stepwise() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    "value", ["", 1, datetime.min, Decimal(1), Color.RED, Slotted(), object(), b"", (1,)], ids=named
)
def test_ordinary_values_are_learnt_once(value: Any) -> None:
    known = OrdinaryClasses()
    known.learn(value)
    assert type(value) in known.known


@pytest.mark.parametrize(
    "value",
    [
        None,
        Undefined,
        ValueError(),
        KeyboardInterrupt(),
        Soon(1),
        Shy(),
        Watching(),
        Mask(),
        int,
        Soon,
        ModuleType("m"),
        stepwise(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_others_never_are(value: Any) -> None:
    known = OrdinaryClasses()
    with pytest.raises(Surprise):
        known.learn(value)
    assert type(value) not in known.known


def test_a_coroutine_never_is() -> None:
    coroutine = later()
    with pytest.raises(Surprise):
        OrdinaryClasses().learn(coroutine)
    coroutine.close()


def test_no_more_classes_are_kept_than_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classes, "MOST", 10)
    known = OrdinaryClasses()
    at_first = known.known
    for number in range(25):
        known.learn(type(f"C{number}", (), {})())
        assert len(known.known) <= 10
    assert known.known is at_first, "generated code refers to it"
