"""No text that somebody gives is longer than its column: one that would be is refused beforehand."""

from typing import Any

import pytest
from tortoise import Tortoise
from tortoise.fields import CharField, TextField
from tortoise.fields.data import CharEnumFieldInstance

from community.catalogue import catalogue
from community.database.engine import APP
from community.database.sql import select
from community.errors import InvalidInput
from community.permissions import Permission
from community.signals import Signal
from community.votes.actions import (
    CLOSE,
    OPEN,
)
from community.votes.rules import Outcome
from tests.examples import demand, of_all
from tests.topics import ledger, members
from tests.world.polls import Poll

LONGEST = of_all(lambda topic: topic.longest)

OURS = of_all(lambda topic: topic.ours) | {
    "journal.fact": "the name of a fact of the catalogue",
    "journal.subject_kind": "the kind of a subject of the catalogue",
    "due.error": "the name of a type",
    "due.error_text": "a code and a line of ours",
    "due.job": "the name of what is due",
    "due.payload": "of a message of ours",
    "keyed_deed.deed": "the name of a mutation",
    "keyed_deed.fingerprint": "a hash",
    "secret.value": "made by a migration",
}


async def key(poll: Poll, key: str) -> None:
    home = await poll.household()
    await poll.cast(home.viewer, await poll.opened(), key=key)


GIVEN = of_all(lambda topic: topic.texts) | {"keyed_deed.key": key}


def columns() -> dict[str, int | None]:
    """Every column of words, and how many characters it takes; None: as many as one likes."""
    found = {}
    for model in Tortoise.apps[APP].values():
        for name, field in model._meta.fields_map.items():
            if isinstance(field, CharField | TextField) and not isinstance(field, CharEnumFieldInstance):
                longest = field.max_length if isinstance(field, CharField) else None
                found[f"{model._meta.db_table}.{name}"] = longest
    return found


@pytest.fixture
async def inputs(build: Any, estate: Any, told: list[Signal], url: str) -> Poll:
    return Poll(build, estate, told, url)


async def test_every_column_of_words_is_known_here(database: str) -> None:
    known = GIVEN.keys() | OURS.keys()
    demand("texts", columns(), known, otherwise="or `ours`, if nobody's words reach it")
    assert known - columns().keys() == set()
    assert not GIVEN.keys() & OURS.keys()
    assert {
        column for column, longest in columns().items() if longest is None
    } - OURS.keys() == LONGEST.keys()


async def test_what_is_ours_fits(database: str) -> None:
    longest = columns()
    words: dict[str, Any] = {
        "journal.fact": catalogue().facts,
        "journal.subject_kind": catalogue().subjects,
        "count_result.outcome": Outcome,
        "due.job": [OPEN, CLOSE],
    }
    for column, known in words.items():
        assert max(map(len, known)) <= (longest[column] or 0), column
    for model in Tortoise.apps[APP].values():
        for name, field in model._meta.fields_map.items():
            if isinstance(field, CharEnumFieldInstance):
                assert max(len(word.value) for word in field.enum_type) <= field.max_length, name


@pytest.mark.parametrize("column", GIVEN)
async def test_the_longest_text_is_taken_whole_and_a_longer_one_is_refused(inputs: Poll, column: str) -> None:
    """In characters, each of which takes four bytes and, in some languages, two units."""
    longest, sign = columns()[column] or LONGEST[column], "\U00020bb7"
    table, name = column.split(".")
    with pytest.raises(InvalidInput, match=f"at most {longest} characters"):
        await GIVEN[column](inputs, sign * (longest + 1))
    without = " WHERE reason IS NOT NULL" if table.endswith("_step") else ""  # those before it gave none
    assert not await select(f'SELECT 1 FROM "{table}"{without}')
    await GIVEN[column](inputs, sign * longest)
    rows = await select(f'SELECT "{name}" AS text FROM "{table}"')
    assert sign * longest in {row["text"] for row in rows}


async def test_a_reason_fits_with_what_is_written_before_it(inputs: Poll) -> None:
    longest = columns()["entry.item"] or 0
    lengths = [length for length in range(longest - 30, longest + 1) if await taken(inputs, "因" * length)]
    assert lengths
    assert lengths[-1] < longest


async def taken(inputs: Poll, reason: str) -> bool:
    try:
        await ledger.reason(inputs, reason)
    except InvalidInput:
        return False
    return True


async def test_a_token_narrowed_to_everything_over_and_over_fits(inputs: Poll) -> None:
    await members.scopes(inputs, "x" * 1_000)
    rows = await select("SELECT scopes FROM session")
    assert {row["scopes"] for row in rows} == {" ".join(sorted(Permission))}
