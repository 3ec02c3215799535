"""What a community is made of, and what happens to it as a whole."""

from community.catalogue import Fact, Subject, Topic, timeless
from community.database import journal
from community.database.cursors import journal_cursors
from community.database.feed import Feed
from community.live import Journal
from community.permissions import READING as READERS
from community.permissions import Permission
from community.places.reads import (
    BuildingRow,
    CommunityRow,
    OrganizationRow,
    buildings_by_id,
    communities_by_id,
    organizations_by_id,
    scope_by,
    scope_of,
    within_known_communities,
)

COMMUNITY = Subject[CommunityRow](
    kind="Community", scope_of=scope_of, rows=timeless(communities_by_id), seen_by=READERS
)
BUILDING = Subject[BuildingRow](
    kind="Building",
    scope_of=scope_by("building"),
    rows=timeless(within_known_communities(buildings_by_id)),
    seen_by=READERS,
)
ORGANIZATION = Subject[OrganizationRow](
    kind="Organization",
    scope_of=scope_by("organization"),
    rows=timeless(within_known_communities(organizations_by_id)),
    seen_by=READERS,
)

READING = Topic(topic="reading", subject=COMMUNITY, everywhere=True)
"""Who may read a community."""

_FEED = Feed("board")

BOARD = Journal(
    topic=_FEED.topic,
    subject=COMMUNITY,
    permission=Permission.READ_BULLETIN,
    items_after=_FEED.after,
    head=journal.head,
    recent=_FEED.recent,
    cursors=journal_cursors,
)
"""All that happens in a community, but what is somebody's own: who is registered, signs in or holds a role.
"""

PUBLIC_READING_SET = Fact(
    name="PUBLIC_READING_SET",
    subject=COMMUNITY,
    touches=(READING, BOARD),
    meaning="Whether everybody may read was settled anew. 小区是否公开有了新设置。",
)
COMMUNITY_FOUNDED = Fact(
    name="COMMUNITY_FOUNDED",
    subject=COMMUNITY,
    touches=(READING, BOARD),
    meaning="The community was founded, with its first settings. 小区建立，有了第一份设置。",
)
REGISTER_CHANGED = Fact(
    name="REGISTER_CHANGED",
    subject=COMMUNITY,
    touches=(),
    meaning="Buildings, units, owners, tenants or organizations changed. 楼幢、房屋、业主、租户或组织有变。",
)
