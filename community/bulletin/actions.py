"""Notices are published here, each in the name of an organization of the community."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from community.bulletin.facts import NOTICE_PUBLISHED
from community.bulletin.models import Notice
from community.bulletin.reads import scope_of_notice
from community.bulletin.rules import (
    LONGEST_BODY,
    LONGEST_TITLE,
    NoticeKind,
    check_notice,
    publishers,
)
from community.database.sql import lock_advisory
from community.database.work import UnitOfWork, requires
from community.permissions import Permission, is_operator, organizations_for
from community.places.reads import organizations_of, scope_of
from community.text import body as body_text
from community.text import single_line


async def in_whose_name(
    work: UnitOfWork, community: int, permission: Permission, asked: Sequence[int]
) -> list[int]:
    """The organizations that sign what this viewer publishes. Raises InvalidInput (see `publishers`)."""
    return publishers(
        asked,
        own=organizations_for(work.viewer, permission, community),
        standing=[organization.id for organization in (await organizations_of([community]))[community]],
        for_anybody=is_operator(work.viewer, community),
    )


@requires(Permission.PUBLISH_NOTICE, within=scope_of)
async def publish_notice(
    work: UnitOfWork,
    community: int,
    *,
    kind: NoticeKind,
    title: str,
    body: str,
    effective_from: datetime | None = None,
    effective_until: datetime | None = None,
    organization: int | None = None,
    key: str | None = None,
) -> int:
    """The id of the notice. `organization`: the publisher's own where none is named."""
    terms: dict[str, Any] = {
        "title": single_line(title, LONGEST_TITLE, "标题", "the title", field="notice.title"),
        "body": body_text(body, LONGEST_BODY, "正文", "the text", field="notice.body"),
        "kind": kind,
        "effective_from": effective_from,
        "effective_until": effective_until,
    }
    await lock_advisory(f"notice {community}")  # which numbering it would take after the key
    command = await work.command(
        "publishNotice", key, community=community, organization=organization, **terms
    )
    if command.result is not None:
        return command.again(same=(await scope_of_notice(command.result)).id == community)
    check_notice(effective_from, effective_until)
    asked = [] if organization is None else [organization]
    (signing,) = await in_whose_name(work, community, Permission.PUBLISH_NOTICE, asked)
    notice = await Notice.create(
        community_id=community, organization_id=signing, published_at=work.now, **terms
    )
    await command.store(notice.id)
    work.record(NOTICE_PUBLISHED, notice.id)
    return int(notice.id)
