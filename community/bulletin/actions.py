"""Notices are published, corrected and withdrawn here, in the name of an organization of the community."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from community.bulletin.facts import NOTICE_CORRECTED, NOTICE_PUBLISHED, NOTICE_WITHDRAWN
from community.bulletin.models import Notice, NoticeStepRecord
from community.bulletin.reads import notice_row, scope_of_notice
from community.bulletin.rules import (
    LONGEST_BODY,
    LONGEST_TITLE,
    NOTICE_LIFE,
    NoticeKind,
    NoticeStep,
    check_notice,
    publishers,
)
from community.corrections import signer, signers
from community.database.corrections import Correctable
from community.database.sql import lock_advisory, lock_exclusive
from community.database.steps import LONGEST_REASON, take_step
from community.database.work import UnitOfWork, requires
from community.permissions import Permission, is_operator, organizations_for
from community.places.reads import organizations_of, scope_of
from community.text import body as body_text
from community.text import single_line, single_line_if_any

_WORDS = Correctable(
    "notice",
    Notice,
    NoticeStepRecord,
    NOTICE_LIFE,
    NoticeStep.CORRECTED,
    ("title", "body", "effective_from", "effective_until"),
)


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
    await _take(work, notice.id, NoticeStep.PUBLISHED, signing)
    await command.store(notice.id)
    work.record(NOTICE_PUBLISHED, notice.id)
    return int(notice.id)


@requires(Permission.PUBLISH_NOTICE, within=scope_of_notice, known_by=Permission.READ_BULLETIN)
async def correct_notice(
    work: UnitOfWork,
    notice: int,
    *,
    title: str | None = None,
    body: str | None = None,
    times: tuple[datetime | None, datetime | None] | None = None,
    reason: str | None = None,
    key: str | None = None,
) -> int:
    """Replaces what is given; what it said before stays readable. `times`: from when and until when it holds.

    Raises InvalidInput where nothing changes or another organization signed it, StepRefused once it is
    withdrawn, KeyReused.
    """
    words: dict[str, Any] = {}
    if title is not None:
        words["title"] = single_line(title, LONGEST_TITLE, "标题", "the title", field="correction.title")
    if body is not None:
        words["body"] = body_text(body, LONGEST_BODY, "正文", "the text", field="correction.body")
    if times is not None:
        words["effective_from"], words["effective_until"] = times
        check_notice(*times, field="correction.times.effectiveUntil")
    reason = single_line_if_any(reason, LONGEST_REASON, "更正原因", "the reason", field="reason")
    await lock_exclusive("notice", notice)
    given = {"title": words.get("title"), "body": words.get("body"), "times": times}
    command = await work.command("correctNotice", key, notice=notice, reason=reason, **given)
    if command.result is not None:
        return command.again(same=command.result == notice)
    signing = await _signer(work, notice)
    await _WORDS.correct(notice, words, at=work.now, actor=work.recorder, organization=signing, reason=reason)
    await command.store(notice)
    work.record(NOTICE_CORRECTED, notice)
    return notice


@requires(Permission.PUBLISH_NOTICE, within=scope_of_notice, known_by=Permission.READ_BULLETIN)
async def withdraw_notice(work: UnitOfWork, notice: int, *, reason: str, key: str | None = None) -> int:
    """Says that it does not hold any more; it stays readable, with the reason.

    Raises InvalidInput where another organization signed it, StepRefused if it is withdrawn, KeyReused.
    """
    reason = single_line(reason, LONGEST_REASON, "撤下的原因", "the reason", field="reason")
    await lock_exclusive("notice", notice)
    command = await work.command("withdrawNotice", key, notice=notice, reason=reason)
    if command.result is not None:
        return command.again(same=command.result == notice)
    await _take(work, notice, NoticeStep.WITHDRAWN, await _signer(work, notice), reason)
    await command.store(notice)
    work.record(NOTICE_WITHDRAWN, notice)
    return notice


async def _signer(work: UnitOfWork, notice: int) -> int:
    """Raises InvalidInput."""
    row = await notice_row(notice)
    return signer(signers(work.viewer, Permission.PUBLISH_NOTICE, row.community, [row.organization]))


async def _take(
    work: UnitOfWork, notice: int, step: NoticeStep, organization: int, reason: str | None = None
) -> None:
    """Raises StepRefused."""
    await take_step(
        NoticeStepRecord,
        NOTICE_LIFE,
        notice,
        step,
        at=work.now,
        actor=work.recorder,
        reason=reason,
        organization_id=organization,
    )
