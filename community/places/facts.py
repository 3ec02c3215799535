"""What a community is made of, and what happens to it as a whole."""

from community.catalogue import Fact, Subject, Topic, timeless
from community.permissions import READING as READERS
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

PUBLIC_READING_SET = Fact(
    name="PUBLIC_READING_SET",
    subject=COMMUNITY,
    touches=(READING,),
    meaning="Whether everybody may read was settled anew. 小区是否公开有了新设置。",
)
