"""Who the viewer is and what they may do."""

from typing import Annotated, cast

import strawberry

from community.errors import NotFound
from community.members.facts import OWNER_PARTY
from community.members.reads import OwnPartyRow
from community.permissions import (
    CITY,
    Permission,
    Person,
    Scope,
    Tie,
    may,
    permissions_in,
)
from community.places.facts import COMMUNITY
from schema.context import Info
from schema.cost import Price, Prices
from schema.fields import in_context
from schema.marks import BY_RIGHTS
from schema.nodes import NODES, Node, key_of, to_id
from schema.refs import CommunityRef


@strawberry.type(
    description="Whoever asks, by the token or cookie that came with the request."
    " 正在查询的人，由令牌或登录确定。"
)
class Viewer:
    who: strawberry.Private[Person]
    account: str = strawberry.field(
        description="The handle to sign in with, such as meizai-meicheng/resident-1; never a"
        " person's name."
        " 登录用的账号，不是姓名。"
    )

    @strawberry.field(
        description="Where the viewer holds a role of their own: owner, tenant, staff. Public"
        " communities of others are not among them."
        " 当前的人有身份的小区。",
        metadata=BY_RIGHTS,
    )
    async def communities(self, info: Info) -> list[CommunityRef]:
        rows = await info.context.loaders.communities_of.get(None)
        return [cast("CommunityRef", NODES[COMMUNITY.kind].of(row)) for row in rows]

    @strawberry.field(
        description="What the viewer may do in one community, by role and by the scopes of the"
        " token; NOT_FOUND where it is hidden."
        " 当前的人在某个小区能办的事。",
        metadata=BY_RIGHTS,
    )
    async def permissions(
        self,
        info: Info,
        community_id: Annotated[
            strawberry.ID, strawberry.argument(description="The estate of which it is asked. 要问的小区。")
        ],
    ) -> list[Permission]:
        row = await info.context.loaders.communities.load(key_of(community_id, "Community", "communityId"))
        if row is None:
            raise NotFound
        return permissions_in(self.who, row.scope)


@strawberry.type(
    description="An owner party (业主) to which the viewer belongs: one head in each vote, however"
    " many units and co-owners (杭州市物业管理条例 17). Nobody else finds it, and it"
    " carries no name."
    " 您所属的一户业主，表决时算一人；别人查不到。"
)
class OwnerParty(Node, subject=OWNER_PARTY, row=OwnPartyRow):
    community_id: strawberry.ID = in_context(
        lambda row, context: to_id("Community", row.community),
        description="Of the estate in which its units lie. 房屋所在小区的编号。",
    )
    units: list[str] = strawberry.field(
        description="Names of the units it holds today; a vote counts those that stood on its roll"
        " at the opening."
        " 现在名下的专有部分；表决以开始时的名册为准。"
    )


@strawberry.type
class MembersQuery:
    @strawberry.field(
        description="Who is signed in; null for a stranger. A wrong or expired token is"
        " UNAUTHENTICATED instead."
        " 当前登录的人，未登录为 null。"
    )
    def viewer(self, info: Info) -> Viewer | None:
        viewer, city = info.context.viewer, Scope(CITY, public_reading=False)
        shown = isinstance(viewer, Person) and may(viewer, Permission.READ_ACCOUNT, city, {Tie.ONESELF})
        return Viewer(who=viewer, account=viewer.name) if isinstance(viewer, Person) and shown else None


PRICES: Prices = {
    "Viewer.communities": Price(statements=1, size=3),
    "Viewer.permissions": Price(statements=1, size=12),
    "OwnerParty.units": Price(size=3),
}
