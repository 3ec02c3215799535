"""The one base of everything a person may be refused, with its stable code and two sentences."""

from enum import StrEnum
from typing import ClassVar, TypeVar

E = TypeVar("E", bound=BaseException)


class ErrorCode(StrEnum):
    """Stable codes that clients may branch on; the sentences beside them may change."""

    ALREADY_CAST = "ALREADY_CAST"
    ALREADY_SIGNED_UP = "ALREADY_SIGNED_UP"
    AUTHORITY_INVALID = "AUTHORITY_INVALID"
    CURSOR_INVALID = "CURSOR_INVALID"
    DOCUMENT_UNKNOWN = "DOCUMENT_UNKNOWN"
    ENTRY_REVERSED = "ENTRY_REVERSED"
    EVENT_FULL = "EVENT_FULL"
    EVENT_OVER = "EVENT_OVER"
    FORBIDDEN = "FORBIDDEN"
    INTERNAL = "INTERNAL"
    INVALID_ID = "INVALID_ID"
    INVALID_INPUT = "INVALID_INPUT"
    KEY_REUSED = "KEY_REUSED"
    LIMIT_REACHED = "LIMIT_REACHED"
    NOT_FOUND = "NOT_FOUND"
    NOT_ON_ROLL = "NOT_ON_ROLL"
    NOT_REPRESENTATIVE = "NOT_REPRESENTATIVE"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    PARTY_REQUIRED = "PARTY_REQUIRED"
    STEP_REFUSED = "STEP_REFUSED"
    TOO_COSTLY = "TOO_COSTLY"
    TOO_FEW_CHOICES = "TOO_FEW_CHOICES"
    TOO_MANY_CHOICES = "TOO_MANY_CHOICES"
    TRY_AGAIN = "TRY_AGAIN"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    UNKNOWN_CHOICE = "UNKNOWN_CHOICE"
    UNKNOWN_QUESTION = "UNKNOWN_QUESTION"
    VOTE_CLOSED = "VOTE_CLOSED"
    VOTE_NOT_OPEN = "VOTE_NOT_OPEN"


class Refused(Exception):
    """An action or a read that the rules do not allow, said so that a resident understands it.

    Subclasses stand beside their rule and carry `code`, `zh` and `en`; the sentences may name
    details in braces, given to the constructor. No detail may be personal data.

    `field`: the argument at fault, as a path into what was given, such as `answers.0.choices.1`; None where
    no one argument is. `question` and `choice`: those of a ballot that the refusal is about. `expected`: the
    type whose id belongs there, where that of another one was given.
    """

    code: ClassVar[ErrorCode]
    retry_after: int | None = None
    """Seconds after which the same may be asked again; None where that changes nothing."""
    zh: str
    en: str

    def __init__(
        self,
        *,
        field: str | None = None,
        question: int | None = None,
        choice: str | None = None,
        **details: object,
    ) -> None:
        self.field = field
        self.question = question
        self.choice = choice
        self.expected: str | None = None
        self.details = details
        self.zh = self.zh.format(**details)
        self.en = self.en.format(**details)
        super().__init__(self.en)


class Unauthenticated(Refused):
    code = ErrorCode.UNAUTHENTICATED
    zh = "请先登录。"
    en = "Please sign in first."


class Forbidden(Refused):
    code = ErrorCode.FORBIDDEN
    zh = "您没有这项权限：{sentence_zh}"
    en = "You may not do this: {sentence_en}"


class NotFound(Refused):
    code = ErrorCode.NOT_FOUND
    zh = "没有找到，或者不对您开放。"
    en = "Not found, or not open to you."


class InvalidId(Refused):
    code = ErrorCode.INVALID_ID
    zh = "编号的写法不对。"
    en = "This is not a well-formed id."


class InvalidInput(Refused):
    code = ErrorCode.INVALID_INPUT
    zh = "填写有误：{problem_zh}"
    en = "Invalid input: {problem_en}"


class CursorInvalid(Refused):
    code = ErrorCode.CURSOR_INVALID
    zh = "这个续读位置不是这个列表给的（也许属于别的列表、小区或筛选条件），或者超前、过旧了，请从头读起。"
    en = (
        "This cursor is not one of this list (perhaps of another list, community or filter), is ahead of the"
        " journal or too old; read from the start."
    )

    def __init__(self) -> None:
        super().__init__(field="after")


class DocumentUnknown(Refused):
    code = ErrorCode.DOCUMENT_UNKNOWN
    zh = "这里没有这个编号的查询，也许它属于另一个版本的页面。请用 POST 把原文发来。"
    en = "There is no document with this id here; it may be of another release. Send its text by POST."


class KeyReused(Refused):
    code = ErrorCode.KEY_REUSED
    zh = "这个提交编号已经用在另一件事上了，这一次没有记录。换一个编号再提交。"
    en = "This key was already used for something else; nothing was recorded. Use another key."

    def __init__(self) -> None:
        super().__init__(field="key")


class ResultGone(KeyReused):
    """What the key led to was cancelled, replaced or reversed since: a retry must not be told it stands."""

    zh = "用这个提交编号做的事后来已被取消、更改或冲正，这一次没有记录。要重新提交，请换一个编号。"
    en = (
        "What was done with this key has been cancelled, replaced or reversed since; nothing was recorded."
        " Use another key to do it again."
    )


class LimitReached(Refused):
    code = ErrorCode.LIMIT_REACHED
    zh = "同时订阅的内容太多，最多 {most} 项。"
    en = "Too many subscriptions at once; {most} at most."


class TooCostly(Refused):
    code = ErrorCode.TOO_COSTLY
    zh = "这个请求太大：要算 {cost}，最多 {most}。请少要一些，或分几次要。"
    en = "This request costs {cost}, {most} at most; ask for less, or in several requests."


class TryAgain(Refused):
    code = ErrorCode.TRY_AGAIN
    retry_after = 1
    zh = "系统正忙，请稍后再试，您的操作没有被记录。"
    en = "The system is busy; nothing was recorded, please try again."


class Late(TryAgain):
    """It did not get through in time, and was undone."""

    retry_after = 5


class Unwritable(TryAgain):
    """The database takes no writing: its disk is full or broken, or its file is another one by now."""

    retry_after = 15


class OutcomeUnknown(Refused):
    """The COMMIT was sent, and what became of it cannot be told."""

    code = ErrorCode.OUTCOME_UNKNOWN
    retry_after = 5
    zh = "没能确认这次操作是否已被记录。用同一个提交编号再试不会重复；没有编号的，请先看看是否已有记录。"
    en = (
        "We cannot tell whether this was recorded. Try again with the same key, which never counts twice; "
        "without a key, look first whether it is there."
    )


def without_frames(error: E) -> E:
    """The same error, which no longer keeps the frames that it came through, nor do those behind it.

    A frame keeps what was asked for, and often the error itself: in a circle that only the garbage collector
    finds, which looks rarely.
    """
    waiting: list[BaseException | None] = [error]
    seen = set[int]()
    while waiting:
        if (each := waiting.pop()) is not None and id(each) not in seen:
            seen.add(id(each))
            waiting += [each.__context__, each.__cause__, getattr(each, "original_error", None)]
            each.__traceback__ = each.__context__ = None
    return error
