"""What stands on the bulletin."""

from enum import StrEnum


class NoticeKind(StrEnum):
    """An announcement (公告), or a public display that asks for comments (公示)."""

    NOTICE = "NOTICE"
    DISPLAY = "DISPLAY"


class BulletinKind(StrEnum):
    VOTE_ANNOUNCED = "VOTE_ANNOUNCED"
    VOTE_OPENED = "VOTE_OPENED"
    VOTE_CLOSED = "VOTE_CLOSED"
    EVENT_PUBLISHED = "EVENT_PUBLISHED"
    NOTICE_PUBLISHED = "NOTICE_PUBLISHED"
    LEDGER_PUBLISHED = "LEDGER_PUBLISHED"
