import json

import pytest

from api.answers import refusal
from community.errors import Late, NotFound, OutcomeUnknown, Refused, TryAgain, Unwritable


@pytest.mark.parametrize(
    ("refused", "status", "seconds"),
    [(TryAgain, 503, 1), (Late, 503, 5), (Unwritable, 503, 15), (OutcomeUnknown, 503, 5)],
)
def test_a_503_says_when_to_come_again(refused: type[Refused], status: int, seconds: int) -> None:
    answer = refusal(refused())
    assert (answer.status_code, answer.headers["retry-after"]) == (status, str(seconds))
    (error,) = json.loads(bytes(answer.body))["errors"]
    assert error["extensions"]["retryAfter"] == seconds


def test_what_stays_refused_does_not() -> None:
    answer = refusal(NotFound())
    assert answer.status_code == 404
    assert "retry-after" not in answer.headers
    assert "retryAfter" not in bytes(answer.body).decode()
