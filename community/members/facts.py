"""Who belongs to a community, and what changes what an account may do."""

from community.catalogue import Fact, Subject, Topic
from community.members.reads import OwnPartyRow, own_parties_by_id
from community.permissions import Permission
from community.places.reads import scope_by

ACCOUNT = Subject[None](kind="Account")
OWNER_PARTY = Subject[OwnPartyRow](
    kind="OwnerParty",
    scope_of=scope_by("owner_party"),
    rows=own_parties_by_id,
    seen_by=(Permission.READ_OWN, Permission.CAST_BALLOT),
)

RIGHTS = Topic(topic="rights", subject=ACCOUNT, everywhere=True)
"""What an account may do."""

RIGHTS_CHANGED = Fact(
    name="RIGHTS_CHANGED",
    subject=ACCOUNT,
    touches=(RIGHTS,),
    meaning="An account may do other things than before, or its session ended. 账号权限有变，或登录结束。",
)
