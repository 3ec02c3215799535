"""What stands at an address of the page, as far as whoever asks may know: the same as GraphQL would say."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.addresses import Address, Kind
from community.bulletin.reads import NoticeRow, notices_by_id, notices_by_number
from community.database.paging import Page
from community.events.reads import EventRow, events_by_id, events_by_number
from community.ledger.reads import EntryRow, entries_by_number, span_of
from community.permissions import Permission, Viewer, may
from community.places.reads import CommunityRow, communities_by_id, communities_by_slug
from community.votes.known import tallies_of
from community.votes.lifecycle import VoteStatus
from community.votes.progress import Progress
from community.votes.reads import VoteRow, votes_by_id, votes_by_number, votes_page

Thing = VoteRow | EventRow | NoticeRow | EntryRow

_BY_ID: dict[Kind, Any] = {Kind.VOTE: votes_by_id, Kind.EVENT: events_by_id, Kind.NOTICE: notices_by_id}
_BY_NUMBER: dict[Kind, Any] = {
    Kind.VOTE: votes_by_number,
    Kind.EVENT: events_by_number,
    Kind.NOTICE: notices_by_number,
    Kind.ENTRY: entries_by_number,
}


@dataclass(frozen=True, slots=True)
class Found:
    """`address`: its own one; `fragment`: a place on that page; `open_vote`: what is being decided there."""

    address: Address
    fragment: str = ""
    community: CommunityRow | None = None
    thing: Thing | None = None
    progress: Progress | None = None
    open_vote: VoteRow | None = None


async def find(viewer: Viewer, address: Address, now: datetime) -> Found | None:
    """None for what is not there, and for what the viewer may not know of."""
    if address.kind is Kind.HOME:
        return Found(address)
    if address.key is not None:
        return await _node(viewer, address, address.key)
    community = await _community(viewer, address.slug)
    if community is None:
        return None
    address = replace(address, slug=community.slug)
    if address.kind in _BY_NUMBER:
        return await _numbered(viewer, address, community)
    if address.kind is Kind.LEDGER:
        return await _ledger(viewer, address, community, now)
    if address.kind is Kind.BULLETIN:
        return Found(address, community=community, open_vote=await _open_vote(viewer, community, now))
    return Found(address, community=community)


async def _community(viewer: Viewer, slug: str) -> CommunityRow | None:
    """Whoever typed it large means the small one, unless there is one that is called so."""
    rows = await communities_by_slug(viewer, {slug, slug.lower()})
    return rows.get(slug) or rows.get(slug.lower())


async def _node(viewer: Viewer, address: Address, key: int) -> Found | None:
    """Wherever somebody said that it was."""
    thing = (await _BY_ID[address.kind](viewer, [key])).get(key)
    if thing is None:
        return None
    where = thing.community_id if isinstance(thing, VoteRow) else thing.community
    community = (await communities_by_id(viewer, [where])).get(where)
    if community is None:  # which everybody might read until a moment ago
        return None
    return await _shown(Address(address.kind, community.slug, thing.number), community, thing)


async def _numbered(viewer: Viewer, address: Address, community: CommunityRow) -> Found | None:
    needed = Permission.READ_LEDGER if address.kind is Kind.ENTRY else Permission.READ_BULLETIN
    if not may(viewer, needed, community.scope):
        return None
    thing = (await _BY_NUMBER[address.kind]([community.id], address.number)).get(community.id)
    return None if thing is None else await _shown(address, community, thing)


async def _shown(address: Address, community: CommunityRow, thing: Thing) -> Found:
    if isinstance(thing, VoteRow):
        progress = (await tallies_of([thing.id])).get(thing.id)
        return Found(address, community=community, thing=thing, progress=progress)
    if isinstance(thing, EntryRow):
        ledger = Address(Kind.LEDGER, address.slug, month=f"{thing.date:%Y-%m}")
        return Found(ledger, f"entry-{thing.number}", community, thing)
    return Found(address, community=community, thing=thing)


async def _ledger(viewer: Viewer, address: Address, community: CommunityRow, now: datetime) -> Found | None:
    """A book goes from its first entry's month to this one, or to its latest entry's where that is later."""
    if not may(viewer, Permission.READ_LEDGER, community.scope):
        return None
    if address.month:
        this = f"{now.astimezone(ZoneInfo(community.profile.time_zone)):%Y-%m}"
        span = await span_of(community.id)
        first, last = (f"{span[0]:%Y-%m}", f"{span[1]:%Y-%m}") if span else (this, this)
        if not first <= address.month <= max(this, last):
            return None
    return Found(address, community=community)


async def _open_vote(viewer: Viewer, community: CommunityRow, now: datetime) -> VoteRow | None:
    if not may(viewer, Permission.READ_BULLETIN, community.scope):
        return None
    page: Page[VoteRow] = await votes_page(community.id, now, 1, None, (VoteStatus.OPEN,))
    return page.rows[0] if page.rows else None
