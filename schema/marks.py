"""Marks on fields: for whom a field says the same, where that is not everybody."""

from collections.abc import Mapping

from realtime.audience import Audience
from realtime.fields import AUDIENCE

BY_RIGHTS: Mapping[str, Audience] = {AUDIENCE: Audience.RIGHTS}
BY_VIEWER: Mapping[str, Audience] = {AUDIENCE: Audience.VIEWER}
"""`strawberry.field(…, metadata=BY_VIEWER)`."""
