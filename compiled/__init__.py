"""Compiled completion for graphql-core: lists and objects are completed by generated functions.

See docs/compiled.md. Knows graphql-core and nothing of ours.
"""

from compiled.executor import CompiledExecutor
from compiled.marks import (
    CLASS,
    IGNORES_INFO,
    LOADED,
    PLAIN,
    Loaded,
    Plain,
    plain_attribute,
    plain_method,
)
from compiled.plans import Plans

__all__ = [
    "CLASS",
    "IGNORES_INFO",
    "LOADED",
    "PLAIN",
    "CompiledExecutor",
    "Loaded",
    "Plain",
    "Plans",
    "plain_attribute",
    "plain_method",
]
