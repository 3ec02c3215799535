"""How fast this machine is: bounds in seconds of CPU hold on the machine they were measured on."""

import time

from graphql import build_schema, get_introspection_query, parse
from graphql.execution import execute_sync
from graphql.validation import validate

MEASURED = 0.0053
"""Seconds of CPU that `_work` took where the bounds were measured."""

_SCHEMA = build_schema("type Query { a: Int, b(c: [String!]): Query } enum E { X, Y } input I { e: E }")
_QUERY = get_introspection_query()


def slowness() -> float:
    """At least 1: how many times longer this machine takes just now for work of the same kind."""
    return max(1.0, min(_work() for _ in range(3)) / MEASURED)


def _work() -> float:
    start = time.process_time()
    document = parse(_QUERY)
    assert not validate(_SCHEMA, document)
    assert execute_sync(_SCHEMA, document).data
    return time.process_time() - start
