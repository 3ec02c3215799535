"""Members: what the tests that ask the same of every topic take as examples."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from community.members.actions import open_session
from community.members.models import Account
from community.members.rules import SessionKind
from community.permissions import SYSTEM, Permission, Role
from tests.community.database.breaking import insert, update
from tests.examples import Examples, Ground, Read
from tests.schema.documents import VIEWER, aliases
from tests.world.estates import NOW
from tests.world.polls import Poll


async def furnish(estate: Any, build: Any, now: datetime) -> None:
    """The owner's party of the estate's unit."""
    await build.party(estate.community, estate.owner.account, estate.unit)


async def scopes(poll: Poll, text: str) -> None:
    """As many as one likes may be named, each as often as one likes."""
    name = (await Account.get(id=poll.estate.owner.account)).name
    scopes = [*Permission] * (len(text) // 100 + 2)
    await open_session(
        SYSTEM, NOW, name, kind=SessionKind.TOKEN, lifetime=timedelta(days=1), scopes=scopes
    )  # fmt: skip


async def ids(ground: Ground) -> Mapping[str, str]:
    return {"party": ground.house.town.id("OwnerParty", f"{ground.slug}/resident-1")}


EXAMPLES = Examples(
    permissions={
        Permission.SIGN_IN: frozenset(Role),
        Permission.SIGN_OUT: frozenset(Role),
        Permission.READ_ACCOUNT: frozenset(Role),
        Permission.READ_OWN: frozenset(Role),
        Permission.APPOINT: {Role.REGULATOR},
        Permission.MANAGE_SESSIONS: (),
        Permission.OPERATE: (),
    },
    furnish=furnish,
    violations=[
        ("ownership_share", insert("ownership", share=0)),
        ("ownership_share", insert("ownership", share=3, share_of=2)),
        ("ownership_share", update("ownership", share=2)),
    ],
    ours={
        "account.name": "demonstration accounts are made by us",
        "session.hash": "a hash",
        "session.scopes": "names of permissions",
    },
    own_nodes={"OwnerParty"},
    ids=ids,
    reads={
        "node(OwnerParty)": Read('node(id: "{party}") {{ ... on OwnerParty {{ units communityId }} }}'),
        "viewer": Read("viewer {{ __typename }}"),
        "Viewer.account": Read("viewer {{ account }}", "account"),
        "Viewer.communities": Read("viewer {{ communities {{ slug }} }}", "communities.slug"),
        "Viewer.permissions": Read('viewer {{ permissions(communityId: "{community}") }}', "permissions"),
    },
    by_viewer={"Query.viewer"},
    ways_to_one={
        "Viewer": VIEWER,
        "OwnerParty": "query($party: ID!) { node(id: $party) { ... on OwnerParty { %s } } }",
    },
    arguments={"Viewer.permissions": lambda town: f'(communityId: "{town.id("Community", "spring")}")'},
    dearest={"my communities": VIEWER % aliases("communities { name buildings { name } }")},
)
