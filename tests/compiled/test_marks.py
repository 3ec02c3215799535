from typing import Any

import pytest

from compiled.marks import plain_attribute, plain_method

COUNT = 0


class Row:
    number = 5


class Thing:
    row = Row()
    items = (1, 2)

    def number(self) -> int:
        return self.row.number

    def whole(self) -> object:
        return self

    def doubled(self) -> list[int]:
        return [item * self.row.number for item in self.items]

    def chosen(self) -> int | None:
        if self.row is None:
            return None
        first, *_ = self.items
        return first


@pytest.mark.parametrize(
    ("method", "path"),
    [(Thing.number, ("row", "number")), (Thing.whole, ()), (Thing.doubled, ()), (Thing.chosen, ())],
)
def test_a_method_that_only_gives_is_plain(method: Any, path: tuple[str, ...]) -> None:
    plain = plain_method(None, method)
    assert plain
    assert plain.path == path
    assert plain.get(Thing()) is not None


class Doing:
    seen: Any
    kept: dict[str, int]

    async def later(self) -> int:
        return 1

    def stream(self) -> Any:
        yield 1

    async def streamed(self) -> Any:
        yield 1

    def noted(self) -> int:
        self.seen = 1
        return 1

    def stored(self) -> int:
        self.kept["a"] = 1
        return 1

    def removed(self) -> int:
        del self.seen
        return 1

    def counted(self) -> int:
        global COUNT
        COUNT += 1
        return COUNT

    def within(self) -> int:
        def note() -> int:
            self.seen = 1
            return 1

        return note()

    def loaded(self) -> int:
        import json

        return len(json.__name__)

    def more(self, other: int) -> int:
        return other

    def many(self, *others: int) -> int:
        return len(others)

    def named(self, *, other: int = 1) -> int:
        return other


@pytest.mark.parametrize("name", [name for name, value in vars(Doing).items() if callable(value)])
def test_a_method_that_does_or_takes_more_is_not(name: str) -> None:
    assert plain_method(None, getattr(Doing, name)) is None


def test_what_writes_to_the_function_around_it_is_not() -> None:
    times = 0

    def counted(self: Any) -> int:
        nonlocal times
        times += 1
        return times

    assert plain_method(None, counted) is None


@pytest.mark.parametrize("method", [len, Thing, Thing().number, print])
def test_only_functions_are_looked_into(method: object) -> None:
    assert plain_method(None, method) is None


@pytest.mark.parametrize(
    ("name", "path"), [("number", ("number",)), ("class", ()), ("__mine", ()), ("é", ())]
)
def test_only_a_name_of_a_program_is_written_into_one(name: str, path: tuple[str, ...]) -> None:
    thing = type("T", (), {name: 5})()
    plain = plain_attribute(None, name)
    assert plain.path == path
    assert plain.get(thing) == 5
