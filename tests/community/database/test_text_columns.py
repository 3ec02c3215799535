"""No text that somebody gives is longer than its column: one that would be is refused beforehand."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from tortoise import Tortoise
from tortoise.fields import CharField, TextField
from tortoise.fields.data import CharEnumFieldInstance

from community.bulletin.actions import publish_notice
from community.bulletin.rules import NoticeKind
from community.catalogue import catalogue
from community.database.engine import APP
from community.database.sql import select
from community.errors import InvalidInput
from community.events.actions import publish_event, sign_up
from community.ledger.actions import record_entry, reverse_entry
from community.ledger.rules import Category, Direction
from community.members.actions import open_session
from community.members.models import Account
from community.members.rules import SessionKind
from community.permissions import SYSTEM, Permission
from community.signals import Signal
from community.votes.actions import (
    CLOSE,
    OPEN,
    RecordedBallot,
    Service,
    record_ballots,
    record_service,
    void_ballot,
)
from community.votes.casting import Channel
from community.votes.rules import Outcome
from tests.world.estates import NOW
from tests.world.polls import Poll

LONGEST = {
    "notice.body": 20_000,
    "event.description": 10_000,
    "vote.description": 10_000,
    "question.description": 10_000,
}
"""Of texts with line breaks, which no column bounds."""

OURS = {
    "account.name": "demonstration accounts are made by us",
    "building.name": "the demonstration's",
    "journal.fact": "the name of a fact of the catalogue",
    "journal.subject_kind": "the kind of a subject of the catalogue",
    "community.address": "the demonstration's",
    "community.name": "the demonstration's",
    "community.slug": "the demonstration's",
    "community_profile.time_zone": "Asia/Shanghai",
    "due.error": "the name of a type",
    "due.error_text": "a code and a line of ours",
    "due.job": "the name of what is due",
    "due.payload": "of a message of ours",
    "keyed_deed.deed": "the name of a mutation",
    "keyed_deed.fingerprint": "a hash",
    "organization.name": "the demonstration's",
    "question_result.choices": "sums of choices, in JSON",
    "question_result.outcome": "a word of Outcome",
    "secret.value": "made by a migration",
    "session.hash": "a hash",
    "total.label": "a choice's code, or a day",
    "unit.name": "the demonstration's",
    "vote.silence_clause": "no vote may count silence yet",
}
"""The columns that nobody's words reach, and why."""


class Inputs(Poll):
    """How a text comes into each of the other columns; each returns nothing, or the choice code to mark."""

    async def notice(self, **text: str) -> None:
        terms = {"title": "停水", "body": "明天"} | text
        await publish_notice(
            self.estate.chair, NOW, self.estate.community, kind=NoticeKind.NOTICE, **terms
        )  # fmt: skip

    async def event(self, **text: str) -> int:
        terms = {"title": "美邻节", "description": "", "place": "花园"} | text
        return await publish_event(
            self.estate.chair, NOW, self.estate.community, starts_at=NOW + timedelta(days=1),
            ends_at=NOW + timedelta(days=2), sign_up_closes_at=None, capacity=None, max_party_size=6,
            potluck=True, **terms,
        )  # fmt: skip

    async def dish(self, dish: str) -> None:
        await sign_up(self.estate.owner, NOW, await self.event(), party_size=1, dish=dish)

    async def entry(self, **text: str) -> int:
        terms = {"item": "广告"} | text
        return await record_entry(
            self.estate.manager, NOW, self.estate.community, date=NOW.date(), direction=Direction.INCOME,
            category=Category.ADVERTISING, amount=100, **terms,
        )  # fmt: skip

    async def reason(self, reason: str) -> None:
        await reverse_entry(self.estate.manager, NOW, await self.entry(), reason=reason)

    async def choice(self, code: str = "A", label: str = "好") -> None:
        """Announced, and marked by somebody."""
        home = await self.household()
        vote = await self.opened(self.survey(choices=[(code, label), ("另一个", "另一个")]))
        await self.cast(home.viewer, vote, code)

    async def evidence(self, evidence: str) -> None:
        home = await self.household()
        vote = await self.opened()
        paper = RecordedBallot(
            home.party, self.during, await self.answers(vote, "FOR"), Channel.PAPER, evidence
        )
        await record_ballots(SYSTEM, self.during, vote, [paper])

    async def service(self, evidence: str) -> None:
        home, vote = await self.household(), await self.opened()
        await record_service(SYSTEM, self.during, vote, [Service(home.party, evidence, self.during)])

    async def ruling(self, reason: str) -> None:
        home, vote = await self.household(), await self.opened()
        ballot = await self.cast(home.viewer, vote)
        await void_ballot(self.estate.chair, self.during, ballot, reason=reason)

    async def answer_text(self, text: str) -> None:
        home = await self.household()
        vote = await self.opened(self.survey(accepts_text=True))
        (one,) = await self.questions(vote)
        await self.cast(home.viewer, vote, answers=[self.answer(one, "A", text=text)])

    async def key(self, key: str) -> None:
        home = await self.household()
        await self.cast(home.viewer, await self.opened(), key=key)

    async def scopes(self, text: str) -> None:
        """As many as one likes may be named, each as often as one likes."""
        name = (await Account.get(id=self.estate.owner.account)).name
        scopes = [*Permission] * (len(text) // 100 + 2)
        await open_session(
            SYSTEM, NOW, name, kind=SessionKind.TOKEN, lifetime=timedelta(days=1), scopes=scopes
        )


Input = Callable[[Inputs, str], Awaitable[object]]

GIVEN: dict[str, Input] = {
    "ballot.evidence": Inputs.evidence,
    "ballot_choice.choice": lambda of, text: of.choice(code=text),
    "ballot_text.text": Inputs.answer_text,
    "choice.code": lambda of, text: of.choice(code=text),
    "choice.label": lambda of, text: of.choice(label=text),
    "entry.authority_clause": lambda of, text: of.entry(authority_clause=text),
    "entry.counterparty": lambda of, text: of.entry(counterparty=text),
    "entry.item": lambda of, text: of.entry(item=text),
    "entry.voucher": lambda of, text: of.entry(voucher=text),
    "event.description": lambda of, text: of.event(description=text),
    "event.place": lambda of, text: of.event(place=text),
    "event.title": lambda of, text: of.event(title=text),
    "keyed_deed.key": Inputs.key,
    "notice.body": lambda of, text: of.notice(body=text),
    "notice.title": lambda of, text: of.notice(title=text),
    "question.description": lambda of, text: of.announced(of.resolution(description=text)),
    "question.title": lambda of, text: of.announced(of.resolution(title=text)),
    "ruling.reason": Inputs.ruling,
    "served.evidence": Inputs.service,
    "sign_up.dish": Inputs.dish,
    "vote.description": lambda of, text: of.announced(description=text),
    "vote.title": lambda of, text: of.announced(title=text),
}
"""How a text of somebody's comes into each column."""


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
async def inputs(build: Any, estate: Any, told: list[Signal], url: str) -> Inputs:
    return Inputs(build, estate, told, url)


async def test_every_column_of_words_is_known_here(database: str) -> None:
    assert columns().keys() == GIVEN.keys() | OURS.keys() | {"session.scopes"}
    assert not GIVEN.keys() & OURS.keys()
    assert {
        column for column, longest in columns().items() if longest is None
    } - OURS.keys() == LONGEST.keys()


async def test_what_is_ours_fits(database: str) -> None:
    longest = columns()
    words: dict[str, Any] = {
        "journal.fact": catalogue().facts,
        "journal.subject_kind": catalogue().subjects,
        "question_result.outcome": Outcome,
        "due.job": [OPEN, CLOSE],
    }
    for column, known in words.items():
        assert max(map(len, known)) <= (longest[column] or 0), column
    for model in Tortoise.apps[APP].values():
        for name, field in model._meta.fields_map.items():
            if isinstance(field, CharEnumFieldInstance):
                assert max(len(word.value) for word in field.enum_type) <= field.max_length, name


@pytest.mark.parametrize("column", GIVEN)
async def test_the_longest_text_is_taken_whole_and_a_longer_one_is_refused(
    inputs: Inputs, column: str
) -> None:
    """In characters, each of which takes four bytes and, in some languages, two units."""
    longest, sign = columns()[column] or LONGEST[column], "\U00020bb7"
    table, name = column.split(".")
    with pytest.raises(InvalidInput, match=f"at most {longest} characters"):
        await GIVEN[column](inputs, sign * (longest + 1))
    assert not await select(f'SELECT 1 FROM "{table}"')
    await GIVEN[column](inputs, sign * longest)
    rows = await select(f'SELECT "{name}" AS text FROM "{table}"')
    assert sign * longest in {row["text"] for row in rows}


async def test_a_reason_fits_with_what_is_written_before_it(inputs: Inputs) -> None:
    longest = columns()["entry.item"] or 0
    lengths = [length for length in range(longest - 30, longest + 1) if await taken(inputs, "因" * length)]
    assert lengths
    assert lengths[-1] < longest


async def taken(inputs: Inputs, reason: str) -> bool:
    try:
        await inputs.reason(reason)
    except InvalidInput:
        return False
    return True


async def test_a_token_narrowed_to_everything_over_and_over_fits(inputs: Inputs) -> None:
    await inputs.scopes("x" * 1_000)
    rows = await select("SELECT scopes FROM session")
    assert {row["scopes"] for row in rows} == {" ".join(sorted(Permission))}
