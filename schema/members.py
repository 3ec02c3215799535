"""Who the viewer is and what they may do."""

from typing import Annotated

import strawberry

from community.errors import NotFound
from community.members.reads import OwnPartyRow
from community.permissions import Permission, may
from community.permissions import Viewer as ViewerValue
from schema.context import Context, Info
from schema.nodes import Node, fetched_by, key_of, to_id
from schema.places import Community


@strawberry.type(description="Whoever is signed in.")
class Viewer:
    who: strawberry.Private[ViewerValue]

    @strawberry.field(description="The handle of the account, such as meizai-meicheng/resident-1.")
    def account(self) -> str:
        return self.who.name

    @strawberry.field(description="The communities in which the viewer has a role.")
    async def communities(self, info: Info) -> list[Community]:
        rows = await info.context.loaders.communities_of.get(None)
        return [Community.of(row) for row in rows]

    @strawberry.field(description="What the viewer may do in a community.")
    async def permissions(
        self,
        info: Info,
        community_id: Annotated[strawberry.ID, strawberry.argument(description="Which one.")],
    ) -> list[Permission]:
        row = await info.context.loaders.communities.load(key_of(community_id, "Community", "communityId"))
        if row is None:
            raise NotFound
        return [permission for permission in Permission if may(self.who, permission, row.place)]


@strawberry.type(
    description="An owner party (业主) to which the viewer belongs: one head in each vote, however many units"
    " and co-owners. Nobody else sees it."
)
class OwnerParty(Node):
    community_id: strawberry.ID = strawberry.field(description="The community in which its units are.")
    units: list[str] = strawberry.field(
        description="The units it holds now; a vote counts those of its roll."
    )

    @classmethod
    def of(cls, row: OwnPartyRow) -> "OwnerParty":
        return cls(
            id=to_id("OwnerParty", row.id),
            community_id=to_id("Community", row.community),
            units=list(row.units),
        )


@fetched_by("OwnerParty")
async def _owner_party(context: Context, key: int) -> OwnerParty | None:
    row = await context.loaders.own_parties.load(key)
    return OwnerParty.of(row) if row else None


@strawberry.type
class MembersQuery:
    @strawberry.field(description="The viewer; null for whoever has not signed in.")
    def viewer(self, info: Info) -> Viewer | None:
        viewer = info.context.viewer
        return None if viewer.account is None else Viewer(who=viewer)
