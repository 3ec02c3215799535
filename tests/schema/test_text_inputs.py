"""Every text of every mutation may be of any length and of any signs: it is taken, or refused by its name."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLString,
    GraphQLType,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    parse,
)

from tests.schema.test_mutations import CASES, FIELDS

Path = tuple[str | int, ...]

REFUSED = {"INVALID_INPUT", "UNKNOWN_CHOICE"}
WRONG = {
    "a hundred thousand": "x" * 100_000,
    "longer": "\U00020bb7" * 20_001,
    "no character": "\ud800",
    "a zero": "x\x00x",
    "unseen": "\u200b\u2060",
    "long": "x" * 201,
    "a blank": " \u3000",
    "nothing": "",
}


def texts(kind: GraphQLType, path: Path = ()) -> Iterator[Path]:
    """Where the strings of an argument are."""
    kind = get_nullable_type(kind)  # type: ignore[type-var]
    if kind is GraphQLString:
        yield path
    elif is_list_type(kind):
        assert isinstance(kind, GraphQLList)
        yield from texts(kind.of_type, (*path, 0))
    elif is_input_object_type(kind):
        assert isinstance(kind, GraphQLInputObjectType)
        for name, field in kind.fields.items():
            yield from texts(field.type, (*path, name))


TEXTS = [
    (name, (argument, *path))
    for name, field in FIELDS.items()
    for argument, each in field.args.items()
    for path in texts(each.type)
]


def with_text(given: Any, path: Path, text: str) -> Any:
    """A copy with `text` at a place, which need not be there yet."""
    if not path:
        return text
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = list(given or [None])
        return [with_text(items[0], rest, text), *items[1:]]
    return {**(given or {}), step: with_text((given or {}).get(step), rest, text)}


def variable_of(query: str, name: str, argument: str) -> str:
    (operation,) = parse(query).definitions
    field: Any = operation.selection_set.selections[0]  # type: ignore[attr-defined]
    assert field.name.value == name
    return next(str(each.value.name.value) for each in field.arguments if each.name.value == argument)


def test_the_texts_of_the_schema_are_found() -> None:
    assert ("castBallot", ("answers", 0, "choices", 0)) in TEXTS
    assert ("publishEvent", ("event", "title")) in TEXTS
    assert len(TEXTS) >= 20


@pytest.mark.parametrize(
    ("name", "path"), TEXTS, ids=[f"{name}-{'.'.join(map(str, path))}" for name, path in TEXTS]
)
async def test_no_text_is_too_much(house: Any, name: str, path: Path) -> None:
    case = await CASES[name](house)
    variable = variable_of(case.query, name, str(path[0]))
    for what, text in WRONG.items():
        given = with_text(case.given, (variable, *path[1:]), text)
        result = await house.result(case.query, case.who, **given)
        for error in result.errors or ():
            said = error.extensions
            assert said["code"] in REFUSED, (what, said)
            assert said["field"] == ".".join(map(str, path)), (what, said)
        refused = bool(result.errors)
        assert refused or what in ("nothing", "a blank", "long"), what
        house.told.clear()
        if not refused and case.once:
            break  # it was done
