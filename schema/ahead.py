"""What a document may ask of a row, so that nothing is read in vain."""

import re
from collections.abc import Mapping
from functools import lru_cache

_WORD = re.compile(r"\w+", re.ASCII)

COLUMNS: dict[type, Mapping[str, frozenset[str]]] = {}
"""By class of rows, what the fields that show them read; `schema/plain.py` keeps it."""


@lru_cache(maxsize=1_000)
def words_in(text: str) -> frozenset[str]:
    """The words of a document. The names of all fields that it selects are among them."""
    return frozenset(_WORD.findall(text))


@lru_cache(maxsize=4_000)
def columns_for(words: frozenset[str], row: type) -> frozenset[str]:
    """What the fields with these names read of a row."""
    return frozenset[str]().union(*(read for name, read in COLUMNS[row].items() if name in words))
