"""What of an event can be watched."""

from community.events.reads import attendance_of, scope_of_event
from community.live import State
from community.permissions import Permission
from community.signals import Topic

ATTENDANCE = State(
    topic=Topic.ATTENDANCE, permission=Permission.READ_BULLETIN, scope_of=scope_of_event, read=attendance_of
)
