import logging

import pytest

from community.database import outcomes
from community.database.outcomes import ENDED, Writes
from community.errors import Late, NotFound, OutcomeUnknown, TryAgain, Unwritable


@pytest.mark.parametrize(
    ("error", "counted", "word"),
    [
        (None, "committed", "ok"),
        (Late(), "late", "late"),
        (Unwritable(), "unwritable", "failing"),
        (OutcomeUnknown(), "unknown", "late"),  # a COMMIT without an answer
        (TryAgain(), "undone", "ok"),
        (NotFound(), "undone", "ok"),
        (ZeroDivisionError(), "undone", "ok"),
    ],
)
def test_what_is_counted_and_what_it_says(error: Exception | None, counted: str, word: str) -> None:
    writes = Writes()
    assert writes.ended(error, wrote=True) == counted
    assert counted in ENDED
    assert writes.word == word


def test_of_a_line_that_broke_at_the_commit_the_disk_says_nothing() -> None:
    writes, broken = Writes(), OutcomeUnknown()
    broken.__cause__ = ConnectionResetError()
    assert writes.ended(broken) == "unknown"
    assert writes.word == "ok"


def test_only_what_was_written_shows_that_writing_works() -> None:
    writes = Writes()
    writes.ended(Unwritable())
    writes.ended(None)
    assert writes.word == "failing"
    writes.ended(None, wrote=True)
    assert writes.word == "ok"


def test_nothing_ends_what_was_refused_for_good() -> None:
    writes = Writes()
    writes.refuse()
    for error in (None, Late(), Unwritable()):
        writes.ended(error, wrote=True)
        assert writes.word == "refused"
    writes.forget()
    assert writes.word == "ok"


def test_each_kind_has_its_line_and_says_how_many_were_left_out(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = Writes()
    with caplog.at_level(logging.ERROR):
        for _ in range(10):
            writes.ended(Late())
            writes.ended(Unwritable())
        assert len(caplog.records) == 2
        monkeypatch.setattr(outcomes, "ONE_LINE_IN", 0.0)
        writes.ended(Late())
    assert "18 more" in caplog.records[-1].getMessage()
