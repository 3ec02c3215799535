"""Actions that write what several topics keep: they stand above them in the tree."""

from community.database.work import UnitOfWork, requires
from community.members.actions import admit_developer
from community.permissions import Permission
from community.places.actions import NewCommunity, lay_out
from community.places.reads import citywide


@requires(Permission.FOUND_COMMUNITY, within=citywide)
async def found_community(work: UnitOfWork, new: NewCommunity) -> int:
    """The id of a new community, with its profile and the party of its developer, whose all its units are at
    first (杭州市物业管理条例 17). Raises InvalidInput.
    """
    community = await lay_out(work, new)
    await admit_developer(work, community)
    return community
