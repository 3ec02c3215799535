"""Events and sign-ups: what happens to them, and what can be watched."""

from community.bulletin.facts import BULLETIN
from community.catalogue import Fact, Subject, timeless
from community.events.reads import (
    EventRow,
    SignUpRow,
    attendance_of,
    events_by_id,
    own_sign_ups_by_id,
    scope_of_event,
    scope_of_sign_up,
)
from community.live import State
from community.permissions import Permission
from community.places.facts import BOARD

EVENT = Subject[EventRow](
    kind="Event", scope_of=scope_of_event, rows=timeless(events_by_id), seen_by=(Permission.READ_BULLETIN,)
)
SIGN_UP = Subject[SignUpRow](
    kind="SignUp",
    scope_of=scope_of_sign_up,
    rows=own_sign_ups_by_id,
    seen_by=(Permission.READ_OWN, Permission.SIGN_UP),
)

ATTENDANCE = State(topic="attendance", subject=EVENT, permission=Permission.READ_BULLETIN, read=attendance_of)

EVENT_PUBLISHED = Fact(
    name="EVENT_PUBLISHED",
    subject=EVENT,
    touches=(BULLETIN, BOARD),
    meaning="Neighbours are invited to a gathering; its subject is the Event. 发布了活动。",
)
EVENT_CORRECTED = Fact(
    name="EVENT_CORRECTED",
    subject=EVENT,
    touches=(BULLETIN, BOARD),
    meaning="The words of an invitation were corrected; its subject is the Event. 活动说明有更正。",
)
SIGNED_UP = Fact(
    name="SIGNED_UP",
    subject=EVENT,
    touches=(ATTENDANCE, BOARD),
    meaning="One household or more will come. 有人报名参加活动。",
)
SIGN_UP_CANCELLED = Fact(
    name="SIGN_UP_CANCELLED",
    subject=EVENT,
    touches=(ATTENDANCE, BOARD),
    meaning="A household will not come after all. 有人取消了报名。",
)
ATTENDANCE_CHANGED = Fact(
    name="ATTENDANCE_CHANGED",
    subject=EVENT,
    touches=(ATTENDANCE, BOARD),
    meaning="Somebody signed up or cancelled; only older rows say no more. 报名有变。",
)
