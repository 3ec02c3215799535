"""What a community settles for itself: each change is a new version of its profile."""

from community.database.sql import lock_exclusive
from community.database.work import UnitOfWork, requires
from community.permissions import Permission
from community.places.facts import PUBLIC_READING_SET
from community.places.models import Community, CommunityProfile
from community.places.reads import scope_of


@requires(Permission.SETTLE_PROFILE, within=scope_of)
async def set_public_reading(
    work: UnitOfWork, community: int, *, public: bool, key: str | None = None
) -> None:
    """Whether everybody may read, from now on. What was settled before stays as it was written.

    Raises KeyReused, also where the contrary was settled since.
    """
    await lock_exclusive("community", community)
    version = (await Community.get(id=community).values("profile_version"))["profile_version"]
    settled = await CommunityProfile.get(community_id=community, version=version).values(
        "public_reading", "time_zone", "notice_days", "window_days_least", "window_days_most"
    )
    command = await work.command("setPublicReading", key, community=community, public=public)
    if command.result is not None:
        command.again(same=command.result == community, stands=settled["public_reading"] == public)
        return
    await command.store(community)
    if settled["public_reading"] == public:
        return
    await CommunityProfile.create(
        community_id=community,
        version=version + 1,
        since=work.now,
        **settled | {"public_reading": public},
    )
    await Community.filter(id=community).update(profile_version=version + 1)
    work.record(PUBLIC_READING_SET, community)
