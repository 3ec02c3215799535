"""What of a vote can be watched."""

from community.live import State
from community.permissions import Permission
from community.signals import Topic
from community.votes.progress import progress_of
from community.votes.reads import scope_of_vote

TALLY = State(
    topic=Topic.TALLY, permission=Permission.READ_BULLETIN, scope_of=scope_of_vote, read=progress_of
)
