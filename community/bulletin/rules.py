"""What stands on the bulletin, and in whose name."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from community.errors import InvalidInput
from community.steps import Life, Stage, StepRefused

BULLETIN_TOPIC = "bulletin"
"""The topic of the feed: each fact that touches it is an item."""

LONGEST_TITLE = 120
LONGEST_BODY = 20_000


class NoticeKind(StrEnum):
    """An announcement (公告), or a public display that asks for comments (公示)."""

    NOTICE = "NOTICE"
    DISPLAY = "DISPLAY"


class NoticeStatus(StrEnum):
    """Whether it hangs, or was withdrawn and stays readable."""

    PUBLISHED = "PUBLISHED"
    WITHDRAWN = "WITHDRAWN"


class NoticeStep(StrEnum):
    """CORRECTED replaces its words, which stay readable."""

    PUBLISHED = "PUBLISHED"
    CORRECTED = "CORRECTED"
    WITHDRAWN = "WITHDRAWN"


_MORE = {NoticeStep.CORRECTED, NoticeStep.WITHDRAWN}
NOTICE_LIFE = Life(
    unbegun=NoticeStatus.PUBLISHED,
    first={NoticeStep.PUBLISHED},
    stages={
        NoticeStep.PUBLISHED: Stage(NoticeStatus.PUBLISHED, _MORE),
        NoticeStep.CORRECTED: Stage(NoticeStatus.PUBLISHED, _MORE),
        NoticeStep.WITHDRAWN: Stage(NoticeStatus.WITHDRAWN),
    },
)


def check_mendable(last: NoticeStep | None) -> None:
    """Raises StepRefused for a notice that was withdrawn."""
    if not NOTICE_LIFE.may_come(last, NoticeStep.WITHDRAWN):
        raise StepRefused


def check_notice(
    effective_from: datetime | None,
    effective_until: datetime | None,
    field: str = "notice.effectiveUntil",
) -> None:
    """Raises InvalidInput, about `field`, where the time it is about ends before it begins."""
    if effective_from and effective_until and not effective_from < effective_until:
        raise InvalidInput(
            problem_zh="结束要晚于开始",
            problem_en="it must end after it begins",
            field=field,
        )


def publishers(
    asked: Sequence[int], own: Sequence[int], standing: Collection[int], *, for_anybody: bool
) -> list[int]:
    """The organizations that sign: those `asked` for, else the first of the publisher's `own`.

    Raises InvalidInput where there is none, where one is not among the `standing` ones of the
    community, or where a publisher signs only for others (unless `for_anybody`).
    """
    signing = list(dict.fromkeys(asked)) or [one for one in own if one in standing][:1]
    if not signing:
        raise InvalidInput(problem_zh="请填写主办单位", problem_en="say in whose name this is published")
    if not set(signing) <= set(standing):
        raise InvalidInput(
            problem_zh="主办单位不是本小区的", problem_en="this organization is not one of the community"
        )
    if not for_anybody and not set(signing) & set(own):
        raise InvalidInput(
            problem_zh="不能只以别人的名义发布", problem_en="nobody publishes only in the name of others"
        )
    return signing
