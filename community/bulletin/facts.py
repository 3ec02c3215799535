"""What of the bulletin can be watched."""

from community.bulletin.cursors import of_bulletin
from community.bulletin.reads import items_after, recent
from community.database import journal
from community.live import Journal
from community.permissions import Permission
from community.places.reads import scope_of
from community.signals import Topic

BULLETIN = Journal(
    topic=Topic.BULLETIN,
    permission=Permission.READ_BULLETIN,
    scope_of=scope_of,
    items_after=items_after,
    head=journal.head,
    recent=recent,
    cursors=of_bulletin,
)
