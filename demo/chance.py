"""Chance that falls the same way every time."""

from random import Random


def seeded(*of: object) -> Random:
    """The dice for one thing, named by whatever tells it from all others."""
    return Random("/".join(map(str, of)))  # noqa: S311 - a demonstration, not a secret
