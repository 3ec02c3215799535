"""The town as a stranger finds it: large enough for dear documents, with secrets and with people who ask.

Whoever asks is told of nothing that is not theirs. So each secret has an audience, each asker the audiences
that it belongs to, and every answer is looked through for whatever its asker must not see.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from tortoise.models import Model
from tortoise.transactions import in_transaction

from community.actions import found_community
from community.bulletin.facts import NOTICE_PUBLISHED
from community.bulletin.models import Notice, NoticeStepRecord
from community.database import cursors, journal
from community.database.ids import new_id
from community.events.actions import sign_up
from community.events.facts import EVENT_PUBLISHED
from community.events.models import Event, EventOrganizer, EventStepRecord, SignUp
from community.ledger.actions import NewEntry, record_entries
from community.ledger.reads import book_cursors
from community.ledger.rules import Category, Direction
from community.members.actions import end_session, open_accounts, open_session
from community.members.reads import person_of
from community.members.rules import SessionKind
from community.permissions import SYSTEM, Permission, Person
from community.places.actions import NewCommunity, enter_buildings, enter_organizations
from community.places.rules import OrganizationKind, Profile
from community.votes.actions import cast_ballot, open_vote
from community.votes.casting import Answered, receipt_code
from community.votes.facts import VOTE_ANNOUNCED
from community.votes.models import (
    Ballot,
    Choice,
    Contest,
    Question,
    Vote,
    VoteScopePart,
    VoteScopeRecord,
    VoteStepRecord,
)
from schema.nodes import parse_id, to_id
from tests.stranger.documents import Request, Words

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OPEN = 20
"""Of the votes of 春风里: their tallies add up ballots."""

ESTATES, OF_AN_ESTATE = 40, 40
"""Public communities beside 春风里, and how many votes each has."""

OF_SPRING = 100
"""Of everything in 春风里: the largest page."""

HIDDEN = ("静园", "表决 quiet", "修大门", "活动 tea", "公告 gate", "账 quiet")
"""What stands in the hidden community and nowhere else; as short as they are, no chance writes them."""


@dataclass(frozen=True, slots=True)
class Secret:
    text: str
    audience: str


@dataclass(frozen=True, slots=True)
class Asker:
    """`sees`: audiences; what is nobody's secret everybody sees."""

    name: str
    token: str | None = None
    sees: frozenset[str] = frozenset()

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.token is None else {"authorization": f"Bearer {self.token}"}


@dataclass
class Grounds:
    """What is to be attacked, and by whom. `hidden`: ids of the hidden community with unknown ones of the
    same shape: nobody outside can tell them apart."""

    town: Any
    url: str
    askers: list[Asker] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    words: Words = field(default_factory=lambda: Words({}, ()))
    hidden: dict[str, str] = field(default_factory=dict)

    def leaks(self, asker: Asker, sent: str, received: str) -> list[str]:
        """What the asker is told that it neither may see nor said itself; under `data` nothing is an echo."""
        found = [
            secret for secret in self.secrets if secret.text in received and secret.audience not in asker.sees
        ]
        if not found:
            return []
        data = "".join(_data_of(received))
        return [
            f"{asker.name} sees {secret.text} of {secret.audience}"
            for secret in found
            if secret.text in data or secret.text not in sent
        ]

    @property
    def only_hidden(self) -> Words:
        """A stranger's words whose ids are all of the hidden community."""
        ids: dict[str, list[str]] = {}
        for id_ in self.hidden:
            ids.setdefault(parse_id(id_)[0], []).append(id_)
        return Words(ids, ["nowhere", "FOR", "2026-05", "一句话"])

    def with_unknown(self, text: str) -> str:
        """The same, of what is not there."""
        for hidden, unknown in self.hidden.items():
            text = text.replace(hidden, unknown)
        return text

    def unknown(self, request: Request) -> Request:
        variables = json.loads(self.with_unknown(json.dumps(request.variables)))
        return replace(request, query=self.with_unknown(request.query), variables=variables)


def chance_of(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - to be drawn again


def _data_of(received: str) -> Iterator[str]:
    """What stands under `data` in whatever JSON there is."""
    for line in [received, *received.splitlines()]:
        try:
            yield from _under_data(json.loads(line))
        except (ValueError, RecursionError):
            continue


def _under_data(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _under_data(each)
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "data":
                yield json.dumps(each, ensure_ascii=False)
            else:
                yield from _under_data(each)


# A large town


async def _cloned(
    model: type[Model], like: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]
) -> list[int]:
    """The keys of new rows, each as `like` but for its changes, and what the database gives it."""
    given = {"number": 0, "steps": 0, "last_step": None}
    unnumbered = {name: value for name, value in given.items() if name in like}
    rows = [{**like, "id": new_id(), **unnumbered, **each} for each in changes]
    await model.bulk_create([model(**row) for row in rows], batch_size=500)
    return [row["id"] for row in rows]


async def _lived(steps: type[Model], like: int, keys: Sequence[int]) -> None:
    """Each went through what that one did."""
    for step in await steps.filter(subject_id=like).order_by("number").values():
        await _cloned(steps, step, [{"number": step["number"], "subject_id": key} for key in keys])


async def _row(model: type[Model], **where: Any) -> dict[str, Any]:
    (row,) = await model.filter(**where).limit(1).values()
    return dict(row)


class _Filling:
    def __init__(self, town: Any) -> None:
        self._town, self._now = town, town.now

    async def fill(self) -> None:
        spring = self._town.key("Community", "spring")
        organization = self._town.key("Organization", "spring/committee")
        estates = await self._estates()
        towers = [f"{number}号楼" for number in range(OF_SPRING)]
        await enter_buildings(SYSTEM, self._now, spring, towers)
        guests = [f"spring/guest-{number}" for number in range(OF_SPRING)]
        accounts = await open_accounts(SYSTEM, self._now, guests, demonstration=True)
        async with in_transaction():
            await self._busy(spring, organization, OF_SPRING)
            for community, of in estates.items():
                await self._busy(community, of, OF_AN_ESTATE)
            await self._guests(accounts)
        await record_entries(SYSTEM, self._now, spring, list(map(self._entry, range(3 * OF_SPRING))))
        for vote in await Vote.filter(community_id=spring, title__startswith="忙").limit(OPEN).values("id"):
            await Vote.filter(id=vote["id"]).update(opens_at=self._now - HOUR)
            await open_vote(SYSTEM, self._now, vote["id"])

    async def _estates(self) -> dict[int, int]:
        """Keys of the communities, each with its organization's."""
        past, of = self._now - 400 * DAY, {}
        for number in range(ESTATES):
            new = NewCommunity(
                f"estate-{number}", f"小区 {number}", "杭州市萧山区", 6,
                profile=Profile(1, public_reading=True), demonstration=True,
            )  # fmt: skip
            community = await found_community(SYSTEM, past, new)
            (of[community],) = await enter_organizations(
                SYSTEM, past, community, [(OrganizationKind.OWNERS_COMMITTEE, "committee")]
            )
        return of

    async def _busy(self, community: int, organization: int, times: int) -> None:
        of = {"community_id": community}
        coming = await _row(Vote, id=self._town.key("Vote", "coming"))
        scope = await VoteScopeRecord.create(id=new_id(), community_id=community)
        await VoteScopePart.create(scope_id=scope.id, community_id=community)
        votes = await _cloned(Vote, coming, [
            of | {"convener_id": organization, "title": f"忙 {number}",
            "opens_at": coming["opens_at"] - number * HOUR,
            "scope_id": scope.id}
            for number in range(times)
        ])  # fmt: skip
        await _lived(VoteStepRecord, coming["id"], votes)
        await self._questions(votes, scope.id)
        events = await _cloned(Event, await _row(Event, id=self._town.key("Event", "picnic")), [
            of | {"title": f"会 {number}", "capacity": None, "signed_up": 0,
            "version": 0} for number in range(times)
        ])  # fmt: skip
        await _lived(EventStepRecord, self._town.key("Event", "picnic"), events)
        await EventOrganizer.bulk_create(
            EventOrganizer(event_id=event, organization_id=organization) for event in events
        )
        notices = await _cloned(Notice, await _row(Notice, id=self._town.key("Notice", "water")), [
            of | {"organization_id": organization, "title": f"知 {number}"} for number in range(times)
        ])  # fmt: skip
        await _lived(NoticeStepRecord, self._town.key("Notice", "water"), notices)
        kinds = (VOTE_ANNOUNCED, votes), (EVENT_PUBLISHED, events), (NOTICE_PUBLISHED, notices)
        news = [journal.News(fact, key, community) for fact, keys in kinds for key in keys]
        await journal.write(news, self._now)

    async def _questions(self, votes: Sequence[int], scope: int) -> None:
        like = await _row(Question, vote_id=self._town.key("Vote", "coming"))
        choices = await Choice.filter(question_id=like["id"]).values()
        places = [{"vote_id": vote, "position": position} for vote in votes for position in (0, 1)]
        contests = await _cloned(Contest, {}, places)
        asked = await _cloned(Question, like, [
            place | {"scope_id": scope, "contest_id": contest}
            for place, contest in zip(places, contests, strict=True)
        ])  # fmt: skip
        for choice in choices:
            await _cloned(Choice, choice, [{"question_id": question} for question in asked])

    async def _guests(self, accounts: Sequence[int]) -> None:
        """Each with a dish, at one event."""
        (event,) = await Event.filter(
            title="会 0", community_id=self._town.key("Community", "spring")
        ).values("id")
        await SignUp.bulk_create(
            SignUp(event_id=event["id"], account_id=account, party_size=1, dish=f"菜 {account % 97}",
            signed_up_at=self._now)
            for account in accounts
        )  # fmt: skip

    def _entry(self, number: int) -> NewEntry:
        day = (self._now - 50 * DAY - timedelta(days=9 * number)).date()
        return NewEntry(day, Direction.INCOME, list(Category)[number % 5], f"项 {number}", 100 + number)


# Secrets, and those who have them


async def _viewer(town: Any, name: str) -> Person:
    account = town.key("Account", name)
    return await person_of(account, town.now)


async def _keep_secrets(town: Any) -> None:
    """Ballots with texts, sign-ups, and a ballot in the hidden community."""
    for number in (2, 5):
        await cast_ballot(
            await _viewer(town, f"spring/resident-{number}"), town.now, town.key("Vote", "survey"),
            answers=[Answered(town.key("Question", "survey/0"), ("PARK",), f"只有 resident-{number} 写的")],
        )  # fmt: skip
    await cast_ballot(
        await _viewer(town, "quiet/resident-1"), town.now, town.key("Vote", "quiet"),
        answers=[Answered(town.key("Question", "quiet/0"), ("FOR",))],
    )  # fmt: skip
    for number in (2, 3):
        await sign_up(
            await _viewer(town, f"spring/resident-{number}"), town.now, town.key("Event", "picnic"),
            party_size=1, dish=f"dish {number}",
        )  # fmt: skip


async def _secrets(town: Any) -> list[Secret]:
    parties = {key: name for (kind, name), key in town.keys.items() if kind == "OwnerParty"}
    accounts = {key: name for (kind, name), key in town.keys.items() if kind == "Account"}
    found = [Secret(text, _audience(text)) for text in HIDDEN]
    found += [Secret(id_, "quiet " + part) for part, id_ in _hidden_ids(town)]
    for number in (2, 5):
        found.append(Secret(f"只有 resident-{number} 写的", f"marks of spring/resident-{number}"))
    for ballot in await Ballot.all().values("id", "party_id"):
        audience = f"ballot of {parties[ballot['party_id']]}"
        found += [
            Secret(to_id("Ballot", ballot["id"]), audience),
            Secret(receipt_code(ballot["id"]), audience),
        ]
    for row in await SignUp.all().values("id", "account_id"):
        owner = accounts.get(row["account_id"], "somebody")
        found.append(Secret(to_id("SignUp", row["id"]), f"sign-up of {owner}"))
    return found


def _audience(text: str) -> str:
    return {"静园": "quiet", "账 quiet": "quiet ledger"}.get(text, "quiet bulletin")


def _hidden_ids(town: Any) -> Iterator[tuple[str, str]]:
    """Of the hidden community's things, with the part of it to which they belong."""
    bulletin = {"Vote": "quiet", "Event": "tea", "Notice": "gate", "Question": "quiet/0"}
    for kind, name in bulletin.items():
        yield "bulletin", town.id(kind, name)
    yield "ledger", town.id("Entry", "quiet")


def _unknown(kind: str, key: int) -> str:
    """Of the same type and length, of nothing that is there."""
    return str(to_id(kind, key ^ 0x155 << 24))


async def _askers(town: Any) -> list[Asker]:
    own = "spring/resident-2"
    ballot, marks, sign = f"ballot of {own}", f"marks of {own}", f"sign-up of {own}"
    quiet = {"quiet", "quiet bulletin", "quiet ledger", "ballot of quiet/resident-1"}
    tokens = town.tokens
    askers = [
        Asker("stranger"),
        Asker(own, tokens[own], frozenset({ballot, marks, sign})),
        Asker("spring/tenant", tokens["spring/tenant"]),
        Asker("spring/manager", tokens["spring/manager"]),
        Asker(
            "spring/guardian", tokens["spring/guardian"],
            frozenset({"ballot of spring/resident-5", "ballot of spring/resident-6"}),
        ),
        Asker("quiet/resident-1", tokens["quiet/resident-1"], frozenset(quiet)),
    ]  # fmt: skip
    for scope in Permission:
        sees = set()
        if scope is Permission.CAST_BALLOT:
            sees = {ballot, marks}
        if scope is Permission.SIGN_UP:
            sees = {sign}
        if not scope.startswith(("READ_BULLETIN", "READ_LEDGER")) and scope.startswith(("READ_", "VIEW_")):
            sees = {ballot, marks, sign}  # of one's own things
        askers.append(Asker(f"{own} {scope}", await _token(town, own, [scope]), frozenset(sees)))
    for scope, sees in (
        (Permission.READ_LEDGER, {"quiet", "quiet ledger"}),
        (Permission.READ_BULLETIN, {"quiet", "quiet bulletin"}),
    ):
        askers.append(
            Asker(
                f"quiet/resident-1 {scope}", await _token(town, "quiet/resident-1", [scope]), frozenset(sees)
            )
        )
    revoked = await _token(town, "quiet/resident-1", None)
    await end_session(SYSTEM, town.now, revoked)
    expired = await open_session(
        SYSTEM, town.now - 60 * DAY, "quiet/resident-1", kind=SessionKind.TOKEN, lifetime=30 * DAY
    )
    return [*askers, Asker("revoked", revoked), Asker("expired", expired), Asker("garbage", "x" * 43)]


async def _token(town: Any, account: str, scopes: Sequence[Permission] | None) -> str:
    return await open_session(
        SYSTEM, town.now, account, kind=SessionKind.TOKEN, lifetime=30 * DAY, scopes=scopes
    )


async def _words(town: Any, secrets: Sequence[Secret]) -> Words:
    """All ids that there are, also those that should be nobody's to know, and texts of every use."""
    ids: dict[str, list[str]] = {}
    for kind, name in town.keys:
        if kind != "Account":
            ids.setdefault(kind, []).append(town.id(kind, name))
    for secret in secrets:
        if secret.audience.startswith(("ballot of", "sign-up of")) and "=" in secret.text:
            kind = "Ballot" if secret.audience.startswith("ballot") else "SignUp"
            ids.setdefault(kind, []).append(secret.text)
    ids["SignUp"] = ids["SignUp"][-20:]
    mark = await cursors.mark()
    newest = await journal.head(town.key("Community", "spring"))
    texts = [
        "spring", "quiet", "estate-1", "estate-39", "nowhere", "2026-05", town.now.strftime("%Y-%m"),
        "9999-99",
        "FOR", "PARK", "key-1", "key-2", "一句话", "x", *(cursors.encode(mark, at) for at in (0, 1,
        newest // 2, newest)),
        cursors.encode(mark, newest + 1000), cursors.encode(mark ^ 1, 1),
        *(book_cursors(town.key("Community", slug)).cursor(0) for slug in ("spring", "quiet")),
    ]  # fmt: skip
    return Words(ids, texts)


async def prepare(town: Any, url: str) -> Grounds:
    """Fills the database, which is open."""
    await _keep_secrets(town)
    await _Filling(town).fill()
    secrets = await _secrets(town)
    grounds = Grounds(town, url, await _askers(town), secrets, await _words(town, secrets))
    for kind, name in (
        ("Vote", "quiet"),
        ("Event", "tea"),
        ("Notice", "gate"),
        ("Entry", "quiet"),
        ("Community", "quiet"),
    ):
        grounds.hidden[town.id(kind, name)] = _unknown(kind, town.key(kind, name))
    return grounds
