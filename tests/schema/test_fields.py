"""Fields that a loader brings, and those that follow from the context: as Strawberry resolves them."""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import strawberry

from community.errors import NotFound, TryAgain
from community.permissions import NOBODY
from compiled import LOADED, PLAIN
from realtime.syntax import parse
from schema.fields import brought, in_context
from schema.loaders import Loaders
from schema.plain import mark_plain
from schema.strawberry_privates import OpenSchema
from tests.compiled.both import Core, Ours, executed, seen


class ThingRow(NamedTuple):
    id: int
    friend: int | None
    times: int = 3


async def things(keys: Collection[int]) -> dict[int, ThingRow]:
    if 13 in keys:
        raise TryAgain
    return {key: ThingRow(key, key - 1 or None) for key in keys if key < 10}


@strawberry.type
class Thing:
    id: int
    sure: "Thing" = brought(lambda loaders: loaders.of(things), "friend", description="")
    seen: "Thing" = brought(lambda loaders: loaders.of(things), "friend", hidden=True, description="")
    maybe: "Thing | None" = brought(
        lambda loaders: loaders.of(things), "friend", optional=True, description="", metadata={"mark": 5}
    )
    scaled: int = in_context(lambda row, context: row.times * context.factor, description="")


@strawberry.type
class Query:
    @strawberry.field
    def thing(self, friend: int | None) -> Thing | None:
        return ThingRow(0, friend)  # type: ignore[return-value]


SCHEMA = OpenSchema(query=Query)
mark_plain(SCHEMA.core)


def context() -> Any:
    return SimpleNamespace(loaders=Loaders(NOBODY, lambda: None), factor=7)  # type: ignore[arg-type, return-value]


async def answers(text: str) -> list[Any]:
    """By graphql-core alone, and compiled."""
    document = parse(text)
    return [
        seen(await executed(by, SCHEMA.core, document, Query(), context=context())) for by in (Core, Ours)
    ]


@pytest.mark.parametrize(
    ("friend", "below", "data", "error"),
    [
        ("5", "sure { id scaled }", {"sure": {"id": 5, "scaled": 21}}, None),
        ("5", "maybe { id maybe { id } }", {"maybe": {"id": 5, "maybe": {"id": 4}}}, None),
        ("1", "maybe { id maybe { id } }", {"maybe": {"id": 1, "maybe": None}}, None),
        ("null", "maybe { id }", {"maybe": None}, None),
        ("12", "maybe { id }", {"maybe": None}, None),
        ("12", "sure { id }", None, KeyError),
        ("12", "seen { id }", None, NotFound),
        ("null", "sure { id }", None, None),
        ("5", "seen { id }", {"seen": {"id": 5}}, None),
        ("11", "maybe { id }", {"maybe": None}, None),
        ("8", "maybe { seen { seen { id } } }", {"maybe": {"seen": {"seen": {"id": 6}}}}, None),
        ("13", "maybe { id }", {"maybe": None}, TryAgain),
        ("13", "sure { id }", None, TryAgain),
    ],
)
async def test_it_is_brought_or_not_found(
    friend: str, below: str, data: Any, error: type[Exception] | None
) -> None:
    """The same by its resolver and compiled."""
    document = parse(f"{{ thing(friend: {friend}) {{ {below} }} }}")
    for by in (Core, Ours):
        result = await executed(by, SCHEMA.core, document, Query(), context=context())
        assert result.data == {"thing": data}
        causes = [type(each.original_error) for each in result.errors or ()]
        unread = friend == "null" and data is None  # "Cannot return null"
        assert causes == ([TypeError] if unread else [error] if error else [])


async def test_its_errors_stand_where_they_arise() -> None:
    core, ours = await answers("{ a: thing(friend: 2) { b: sure { sure { c: sure { id } } } } }")
    assert core == ours
    assert core[1][0][1] == ["a", "b", "sure", "c"]


def test_both_say_how_they_are_read() -> None:
    fields = SCHEMA.core.type_map["Thing"].fields  # type: ignore[attr-defined]
    assert fields["sure"].extensions[LOADED].key.path == ("friend",)
    assert not fields["sure"].extensions[LOADED].optional
    assert fields["maybe"].extensions[LOADED].optional
    assert fields["scaled"].extensions[PLAIN].in_context
    marks = fields["maybe"].extensions["strawberry-definition"].metadata
    assert marks["mark"] == 5
