"""Batches of what many fields of one answer ask for: one SQL a level."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from strawberry.dataloader import DataLoader

from community.bulletin.reads import NoticeRow, notices_by_id
from community.events.reads import EventRow, SignUpRow, events_by_id, organizers_of, own_sign_ups_of
from community.ledger.reads import EntryRow, entries_by_id
from community.permissions import Viewer
from community.places.reads import (
    BuildingRow,
    CommunityRow,
    OrganizationRow,
    buildings_by_id,
    communities_by_id,
    organizations_by_id,
)
from community.votes.reads import QuestionRow, VoteRow, questions_of, votes_by_id

V = TypeVar("V")


def _loader(read: Callable[[Sequence[int]], Awaitable[Mapping[int, V]]]) -> DataLoader[int, V | None]:
    """Caches nothing: on a socket a kept row would be a stale one."""

    async def load(keys: list[int]) -> list[V | None]:
        found = await read(keys)
        return [found.get(key) for key in keys]

    return DataLoader(load_fn=load, cache=False)


class Loaders:
    """By id, as the viewer of the moment may see them; None for what is hidden or unknown."""

    def __init__(self, viewer: Callable[[], Viewer]) -> None:
        self.buildings: DataLoader[int, BuildingRow | None] = _loader(buildings_by_id)
        self.communities: DataLoader[int, CommunityRow | None] = _loader(
            lambda ids: communities_by_id(viewer(), ids)
        )
        self.entries: DataLoader[int, EntryRow | None] = _loader(lambda ids: entries_by_id(viewer(), ids))
        self.events: DataLoader[int, EventRow | None] = _loader(lambda ids: events_by_id(viewer(), ids))
        self.notices: DataLoader[int, NoticeRow | None] = _loader(lambda ids: notices_by_id(viewer(), ids))
        self.organizations: DataLoader[int, OrganizationRow | None] = _loader(organizations_by_id)
        self.organizers: DataLoader[int, list[int] | None] = _loader(organizers_of)
        self.own_sign_ups: DataLoader[int, SignUpRow | None] = _loader(
            lambda events: own_sign_ups_of(viewer(), events)
        )
        self.questions: DataLoader[int, list[QuestionRow] | None] = _loader(questions_of)
        self.votes: DataLoader[int, VoteRow | None] = _loader(lambda ids: votes_by_id(viewer(), ids))
