from collections import UserDict
from types import SimpleNamespace
from typing import Any

import pytest

from compiled.classes import Surprise
from compiled.reading import reader_of
from tests.compiled.both import named


class Own(dict[str, Any]):
    a = 7


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ({"a": 5}, 5),
        ({}, None),
        (UserDict(a=5), 5),
        (SimpleNamespace(a=5), 5),
        (object(), None),
        (Own(a=5), 5),
    ],
    ids=named,
)
def test_it_reads_as_graphql_core_does(source: Any, value: Any) -> None:
    assert reader_of("a")(source) == value


def test_what_would_be_called_is_a_surprise() -> None:
    with pytest.raises(Surprise):
        reader_of("a")({"a": len})
    with pytest.raises(Surprise):
        reader_of("upper")("x")
