"""Communities, put together from what each topic says of them."""

from typing import Annotated, cast

import strawberry

from community.database.cursors import ListCursors
from community.database.paging import check_first
from community.places import actions
from community.places.facts import COMMUNITY
from community.places.reads import CommunityRow
from schema.connections import After, Connection, First, connect
from schema.context import Info
from schema.cost import Price, Prices
from schema.marks import BY_RIGHTS
from schema.mutations import Key, mutation
from schema.nodes import Node, key_of
from schema.topics import parts


@strawberry.type(
    description="A housing estate (小区). One that is not public is invisible to strangers: null, as"
    " if unknown. For a token that may only read the ledger, its votes, events, notices"
    " and bulletin are empty."
    " 一个小区；不公开的小区对外人等于不存在。"
)
class Community(Node, *parts("OfCommunity"), subject=COMMUNITY, row=CommunityRow):  # type: ignore[misc]
    pass


@strawberry.type
class CommunitiesMutation:
    @mutation(
        "communityId",
        "Settles whether everybody may read here without signing in; for the owners'"
        " committee or 物管委 (SETTLE_PROFILE). It holds at once: sockets of those who"
        " may no longer read are told NOT_FOUND."
        " 决定不登录能不能看，由业委会（物管委）设置，立即生效。",
    )
    async def set_public_reading(
        self,
        info: Info,
        community_id: Annotated[
            strawberry.ID, strawberry.argument(description="The estate whose setting it is. 要设置的小区。")
        ],
        public: Annotated[
            bool,
            strawberry.argument(
                description="True opens it to everybody, false closes it to all but members."
                " true 为人人可看，false 为只给本小区的人看。"
            ),
        ],
        key: Key = None,
    ) -> Community | None:
        community = key_of(community_id, "Community", "communityId")
        await actions.set_public_reading(
            info.context.person, info.context.now, community, public=public, key=key
        )
        return await Community.fetch(info.context, community)


@strawberry.type
class CommunitiesQuery:
    @strawberry.field(
        description="Every community that the viewer may know of, in the order in which they joined:"
        " the public ones, and those of one's own."
        " 当前的人看得到的全部小区，先加入的在前。",
        metadata=BY_RIGHTS,
    )
    async def communities(self, info: Info, first: First = 20, after: After = None) -> Connection[Community]:
        size, cursors = check_first(first), ListCursors("communities")
        key = cursors.key(after, int)
        loader = info.context.loaders.communities_page(size, cast(int, key[0]) if key else None)
        page = await loader.get(None)
        return connect(page, lambda row: cursors.cursor(row.id), later=key is not None)

    @strawberry.field(
        description="The estate with this short name; null where it is unknown or hidden."
        " 按网址短名找一个小区，不存在或不开放的为 null。",
        metadata=BY_RIGHTS,
    )
    async def community(
        self,
        info: Info,
        slug: Annotated[
            str,
            strawberry.argument(
                description="As in the address, in lower case, such as meizai-meicheng."
                " 网址里的短名，例如 meizai-meicheng。"
            ),
        ],
    ) -> Community | None:
        row = await info.context.loaders.communities_by_slug.load(slug)
        return Community.of(row)


PRICES: Prices = {
    "Query.communities": Price(statements=1),
    "Query.community": Price(statements=1),
}
