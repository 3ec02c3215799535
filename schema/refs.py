"""Types that a topic names although they stand above it.

Strawberry alone looks them up, when it puts the schema together; for an object of such a type a topic asks
`schema.nodes.NODES`.
"""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from schema.communities import Community

CommunityRef = Annotated["Community", strawberry.lazy("schema.communities")]
