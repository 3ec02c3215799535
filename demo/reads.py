"""What stands already: where a later load goes on, and under which ids."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tortoise.expressions import Q

from community.events.models import Event
from community.ledger.models import Entry
from community.members.models import Account, CoOwner, OwnerParty
from community.members.rules import PartyKind
from community.places.models import Building, Community, Organization
from community.places.rules import OrganizationKind
from community.votes.casting import VoteForm, VoteStatus, status_of
from community.votes.models import Vote
from demo.days import local_day
from demo.estates import DEVELOPER
from demo.story import Loaded

_TEN_MONTHS = timedelta(days=300)


async def community_of(slug: str) -> tuple[int, bool] | None:
    """Its id, and whether it is one of the demonstration."""
    rows = await Community.filter(slug=slug).values("id", "demonstration")
    return (rows[0]["id"], rows[0]["demonstration"]) if rows else None


async def account_names(names: Collection[str]) -> set[str]:
    """Those of the names that there are."""
    return {row["name"] for row in await Account.filter(name__in=names).values("name")}


async def developer_in(community: int) -> int:
    """The party of its developer."""
    (row,) = await OwnerParty.filter(community_id=community, kind=PartyKind.DEVELOPER).values("id")
    return int(row["id"])


async def loaded(community: int, now: datetime) -> Loaded:
    stages = ("opens_at", "closes_at", "counted_at", "annulled_at")
    votes = await Vote.filter(community_id=community).values("title", "form", *stages)
    forms = {
        row["form"] for row in votes if status_of(now, *(row[stage] for stage in stages)) is VoteStatus.OPEN
    }
    events = await Event.filter(community_id=community).values("title", "starts_at")
    return Loaded(
        statutory_open=VoteForm.STATUTORY_LOCAL in forms,
        survey_open=VoteForm.CONSULTATION in forms,
        event_coming=any(row["starts_at"] > now for row in events),
        votes={row["title"]: local_day(row["closes_at"]) for row in votes},
        recent_events=frozenset(row["title"] for row in events if row["starts_at"] > now - _TEN_MONTHS),
        booked=await _booked(community),
    )


async def _booked(community: int) -> date | None:
    """What people recorded themselves has no such voucher."""
    ours = Q(voucher__startswith="收-") | Q(voucher__startswith="付-")
    taken_in = Entry.filter(ours, community_id=community, reverses_id=None)
    rows = await taken_in.order_by("-number").limit(1).values("date")
    return rows[0]["date"] if rows else None


async def vote_titled(community: int, title: str) -> int:
    rows = await Vote.filter(community_id=community, title=title).values("id")
    return int(rows[0]["id"])


async def entry_with(community: int, voucher: str | None) -> int:
    rows = await Entry.filter(community_id=community, voucher=voucher, reverses_id=None).values("id")
    return int(rows[0]["id"])


@dataclass(frozen=True, slots=True)
class Names:
    """The ids behind the names that a story uses."""

    community: int
    organizations: dict[OrganizationKind, int]
    buildings: dict[str, int]
    accounts: dict[str, int]
    """By their names within the community."""
    parties: dict[int, int]
    """By their numbers."""


async def names_in(community: int, slug: str) -> Names:
    organizations = await Organization.filter(community_id=community, until=None).values("kind", "id")
    buildings = await Building.filter(community_id=community).values("name", "id")
    accounts = await Account.filter(name__startswith=f"{slug}/").values("name", "id")
    by_name = {row["name"].removeprefix(f"{slug}/"): row["id"] for row in accounts}
    return Names(
        community,
        {row["kind"]: row["id"] for row in organizations},
        {row["name"]: row["id"] for row in buildings},
        by_name,
        await _parties(community, by_name),
    )


async def _parties(community: int, accounts: dict[str, int]) -> dict[int, int]:
    owners = await CoOwner.filter(party__community_id=community).values("account_id", "party_id")
    party_of = {row["account_id"]: row["party_id"] for row in owners}
    numbered = {
        int(name.removeprefix("resident-")): party_of[account]
        for name, account in accounts.items()
        if name.removeprefix("resident-").isdigit()
    }
    return numbered | {DEVELOPER: await developer_in(community)}
