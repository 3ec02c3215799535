"""What of the ledger can be watched."""

from community.ledger.reads import balance_of
from community.live import State
from community.permissions import Permission
from community.places.reads import scope_of
from community.signals import Topic

BALANCE = State(topic=Topic.LEDGER, permission=Permission.READ_LEDGER, scope_of=scope_of, read=balance_of)
