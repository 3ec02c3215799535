"""The life of a vote: its steps, what may follow what, and its status by them and the clock."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from community.errors import ErrorCode, Refused
from community.steps import Life, Stage, StepRefused

LONGEST_WRITE = timedelta(seconds=10)
"""What a write may take from its request to its commit."""


class VoteStatus(StrEnum):
    DRAFT = "DRAFT"
    ANNOUNCED = "ANNOUNCED"
    OPEN = "OPEN"
    SUSPENDED = "SUSPENDED"
    CLOSED = "CLOSED"
    ON_DISPLAY = "ON_DISPLAY"
    CERTIFIED = "CERTIFIED"
    PUBLISHED = "PUBLISHED"
    WITHDRAWN = "WITHDRAWN"
    ANNULLED = "ANNULLED"


class VoteStep(StrEnum):
    """CLOSED ends the voting, COUNTED is a count, of which there may be several: paper is keyed between them,
    and an objection may lead to another one. EXTENDED moves the close, at most once.
    """

    DRAFTED = "DRAFTED"
    ANNOUNCED = "ANNOUNCED"
    OPENED = "OPENED"
    SUSPENDED = "SUSPENDED"
    RESUMED = "RESUMED"
    EXTENDED = "EXTENDED"
    CLOSED = "CLOSED"
    COUNTED = "COUNTED"
    DISPLAYED = "DISPLAYED"
    CERTIFIED = "CERTIFIED"
    PUBLISHED = "PUBLISHED"
    WITHDRAWN = "WITHDRAWN"
    ANNULLED = "ANNULLED"


_S = VoteStep
_STAGES: Mapping[VoteStep, Stage[VoteStep, VoteStatus]] = MappingProxyType(
    {
        _S.DRAFTED: Stage(VoteStatus.DRAFT, {_S.ANNOUNCED, _S.WITHDRAWN}),
        _S.ANNOUNCED: Stage(VoteStatus.ANNOUNCED, {_S.OPENED, _S.WITHDRAWN, _S.ANNULLED}),
        _S.OPENED: Stage(VoteStatus.OPEN, {_S.SUSPENDED, _S.EXTENDED, _S.CLOSED, _S.WITHDRAWN, _S.ANNULLED}),
        _S.SUSPENDED: Stage(VoteStatus.SUSPENDED, {_S.RESUMED, _S.WITHDRAWN, _S.ANNULLED}),
        _S.RESUMED: Stage(VoteStatus.OPEN, {_S.SUSPENDED, _S.EXTENDED, _S.CLOSED, _S.WITHDRAWN, _S.ANNULLED}),
        _S.EXTENDED: Stage(VoteStatus.OPEN, {_S.SUSPENDED, _S.CLOSED, _S.WITHDRAWN, _S.ANNULLED}),
        _S.CLOSED: Stage(VoteStatus.CLOSED, {_S.EXTENDED, _S.COUNTED, _S.ANNULLED}),
        _S.COUNTED: Stage(VoteStatus.CLOSED, {_S.COUNTED, _S.DISPLAYED, _S.ANNULLED}),
        _S.DISPLAYED: Stage(VoteStatus.ON_DISPLAY, {_S.COUNTED, _S.CERTIFIED, _S.ANNULLED}),
        _S.CERTIFIED: Stage(VoteStatus.CERTIFIED, {_S.PUBLISHED, _S.ANNULLED}),
        _S.PUBLISHED: Stage(VoteStatus.PUBLISHED, {_S.ANNULLED}),
        _S.WITHDRAWN: Stage(VoteStatus.WITHDRAWN),
        _S.ANNULLED: Stage(VoteStatus.ANNULLED),
    }
)
LIFE = Life(
    unbegun=VoteStatus.DRAFT,
    first={VoteStep.DRAFTED, VoteStep.ANNOUNCED},
    stages=_STAGES,
    once={VoteStep.EXTENDED},
)
"""Who may take a step, and what else it needs, is its action's to say."""

BY_THE_CLOCK = frozenset({VoteStatus.ANNOUNCED, VoteStatus.OPEN})
"""After these steps alone it is the clock that says whether a vote is announced, open or closed."""


class VoteNotOpen(Refused):
    code = ErrorCode.VOTE_NOT_OPEN
    zh = "表决还没有开始。"
    en = "The vote has not opened yet."


class VoteClosed(Refused):
    code = ErrorCode.VOTE_CLOSED
    zh = "表决已经截止，不能再投票了。"
    en = "The vote has closed; no more ballots are taken."


class VoteSuspended(Refused):
    code = ErrorCode.VOTE_NOT_OPEN
    zh = "表决暂停了，恢复后再投票。"
    en = "The vote is suspended; ballots are taken again when it goes on."


def status_of(last: VoteStep | None, now: datetime, opens_at: datetime, closes_at: datetime) -> VoteStatus:
    """By the last step and the instant: open while opens_at ≤ now < closes_at, until a step has ended it.

    Once counted it is closed, whatever a clock says. `votes_page` asks the database the same.
    """
    status = LIFE.status(last)
    if status not in BY_THE_CLOCK:
        return status
    if now < opens_at:
        return VoteStatus.ANNOUNCED
    return VoteStatus.OPEN if now < closes_at else VoteStatus.CLOSED


def status_then(last: VoteStep | None, at: datetime, opens_at: datetime, closes_at: datetime) -> VoteStatus:
    """At the earlier instant of a ballot that is keyed in after the closing: until it is counted, a closed
    vote was then what the clock said.
    """
    return status_of(VoteStep.OPENED if last is VoteStep.CLOSED else last, at, opens_at, closes_at)


def check_open(status: VoteStatus) -> None:
    """Raises VoteNotOpen before the opening, VoteSuspended, VoteClosed after the close."""
    if status in (VoteStatus.DRAFT, VoteStatus.ANNOUNCED):
        raise VoteNotOpen
    if status is VoteStatus.SUSPENDED:
        raise VoteSuspended
    if status is not VoteStatus.OPEN:
        raise VoteClosed


def check_uncounted(last: VoteStep | None) -> None:
    """Raises VoteClosed from the first count on: a clock that runs behind slips nothing in after it."""
    if not LIFE.may_come(last, VoteStep.CLOSED):
        raise VoteClosed


def check_countable(last: VoteStep | None) -> None:
    """Raises StepRefused where no count may follow any more, as of a certified result."""
    if not LIFE.may_come(last, VoteStep.COUNTED):
        raise StepRefused


def counted_from(closes_at: datetime) -> datetime:
    """The closing count waits for every ballot that came before the close and still stands in a line."""
    return closes_at + LONGEST_WRITE + timedelta(seconds=1)
