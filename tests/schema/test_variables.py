import time
from typing import Any

import pytest

from community.errors import InvalidInput
from schema.variables import DEEPEST, LONGEST_PATH, MOST_KEYS, MOST_VALUES, check_variables
from tests.pace import slowness


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "variables",
    [
        None,
        {},
        {"answers": [{"questionId": "x", "choices": ["FOR"]}] * 100},
        {"status": ["OPEN"] * 8, "first": 100, "text": "x" * 100_000},
        {"a": nested(DEEPEST)},
        {str(number): None for number in range(MOST_KEYS)},
    ],
)
def test_what_people_ask_for_passes(variables: Any) -> None:
    check_variables(variables)


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"answers": [{"questionId": "x", "choices": ["FOR"]}] * 7_000}, "answers"),
        ({"status": ["OPEN"] * (MOST_VALUES + 1)}, "status"),
        ({"a": [["x"] * 100] * 11}, None),
        ({"entry": {str(number): 1 for number in range(MOST_KEYS + 1)}}, "entry"),
        ({str(number): None for number in range(MOST_KEYS + 1)}, None),
        ({"a": nested(DEEPEST + 2)}, "a" + ".0" * DEEPEST),
        ({"a": nested(900)}, None),
        ({"x" * 100_000: [1] * 2_000}, "x" * LONGEST_PATH),
    ],
)
def test_what_is_made_to_be_dear_is_refused_and_cheap(variables: Any, field: str | None) -> None:
    began = time.process_time()
    with pytest.raises(InvalidInput) as refused:
        check_variables(variables)
    assert time.process_time() - began < 0.02 * slowness()
    assert field is None or refused.value.field == field
