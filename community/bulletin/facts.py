"""Notices and the bulletin: what happens to the one, and how the other is watched."""

from community.bulletin.reads import NoticeRow, items_after, notices_by_id, recent, scope_of_notice
from community.bulletin.rules import BULLETIN_TOPIC
from community.catalogue import Fact, Subject, timeless
from community.database import journal
from community.database.cursors import journal_cursors
from community.live import Journal
from community.permissions import Permission
from community.places.facts import BOARD, COMMUNITY

NOTICE = Subject[NoticeRow](
    kind="Notice",
    scope_of=scope_of_notice,
    rows=timeless(notices_by_id),
    seen_by=(Permission.READ_BULLETIN,),
)

BULLETIN = Journal(
    topic=BULLETIN_TOPIC,
    subject=COMMUNITY,
    permission=Permission.READ_BULLETIN,
    items_after=items_after,
    head=journal.head,
    recent=recent,
    cursors=journal_cursors,
)

NOTICE_PUBLISHED = Fact(
    name="NOTICE_PUBLISHED",
    subject=NOTICE,
    touches=(BULLETIN, BOARD),
    meaning="A sheet was put up; its subject is the Notice. 贴了公告或公示。",
)
NOTICE_CORRECTED = Fact(
    name="NOTICE_CORRECTED",
    subject=NOTICE,
    touches=(BULLETIN, BOARD),
    meaning="A sheet says something else now, and what it said before; its subject is the Notice."
    " 公告有更正，原文仍可查看。",
)
NOTICE_WITHDRAWN = Fact(
    name="NOTICE_WITHDRAWN",
    subject=NOTICE,
    touches=(BULLETIN, BOARD),
    meaning="A sheet does not hold any more, and stays readable; its subject is the Notice. 公告撤下了。",
)
