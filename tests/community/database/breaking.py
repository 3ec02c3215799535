"""Statements that break what the database promises, as topics write them in their examples."""

from typing import Any

Statement = tuple[str, str, dict[str, Any]]


def insert(table: str, **changed: Any) -> Statement:
    """A copy of the table's row, with what is changed."""
    return "insert", table, changed


def update(table: str, **changed: Any) -> Statement:
    return "update", table, changed


def delete(table: str) -> Statement:
    return "delete", table, {}


class Own(str):
    """A value taken from another column of the same row."""


class Other(str):
    """One of the other ids that stand in the database."""
