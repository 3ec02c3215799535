"""The one clock: rules and actions get their moment from whoever calls them."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
