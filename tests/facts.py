"""What tests ask of the journal as a whole."""

from community.database import journal


async def written() -> int:
    """How many facts were recorded, in all communities and the city."""
    return sum((await journal.heads()).values())
