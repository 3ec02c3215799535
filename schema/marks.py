"""Marks on fields whose value is not the same for everybody."""

from collections.abc import Mapping

from realtime.audience import Audience
from realtime.fields import AUDIENCE

BY_RIGHTS: Mapping[str, Audience] = {AUDIENCE: Audience.RIGHTS}
BY_VIEWER: Mapping[str, Audience] = {AUDIENCE: Audience.VIEWER}
"""`strawberry.field(…, metadata=BY_VIEWER)`."""

FOR_ALL: Mapping[str, Audience] = {AUDIENCE: Audience.EVERYBODY}
"""Of a field with which a query begins: it is the viewer's unless it says otherwise."""
