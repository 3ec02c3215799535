"""Every refusal has a stable code and says the same in two languages."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from string import Formatter

import pytest

import community
from community.errors import ErrorCode, Forbidden, InvalidInput, Refused, without_frames
from community.votes.casting import TooManyChoices

for module in pkgutil.walk_packages(community.__path__, "community."):
    if ".migrations." not in module.name:
        importlib.import_module(module.name)


def _below(refusal: type[Refused]) -> Iterator[type[Refused]]:
    for lower in refusal.__subclasses__():
        yield lower
        yield from _below(lower)


REFUSALS = sorted(
    (refusal for refusal in _below(Refused) if refusal.__module__.startswith("community.")),
    key=lambda refusal: refusal.__name__,
)


def _details(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.__name__)
def test_a_refusal_has_a_code_and_a_sentence_in_each_language(refusal: type[Refused]) -> None:
    assert isinstance(refusal.code, ErrorCode)
    assert re.search("[\u4e00-\u9fff]", refusal.zh)
    assert not re.search("[\u4e00-\u9fff]", refusal.en)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.__name__)
def test_both_languages_tell_the_same_details(refusal: type[Refused]) -> None:
    chinese, english = (
        {re.sub("_(zh|en)$", "", detail) for detail in _details(sentence)}
        for sentence in (refusal.zh, refusal.en)
    )
    assert chinese == english


def test_a_code_is_its_own_name() -> None:
    assert all(code.name == code.value for code in ErrorCode)


def test_every_code_but_the_masked_one_is_raised_by_some_refusal() -> None:
    assert set(ErrorCode) - {refusal.code for refusal in REFUSALS} == {ErrorCode.INTERNAL}


def test_the_codes_that_clients_rely_on_are_there() -> None:
    promised = (
        "ALREADY_CAST NOT_ON_ROLL VOTE_NOT_OPEN VOTE_CLOSED UNKNOWN_QUESTION UNKNOWN_CHOICE "
        "TOO_MANY_CHOICES TOO_FEW_CHOICES EVENT_FULL ALREADY_SIGNED_UP UNAUTHENTICATED FORBIDDEN NOT_FOUND "
        "INVALID_ID INVALID_INPUT CURSOR_INVALID OUTCOME_UNKNOWN TRY_AGAIN INTERNAL"
    )
    assert set(promised.split()) <= set(ErrorCode)


def test_details_are_filled_in() -> None:
    refusal = TooManyChoices(most=3)
    assert (refusal.zh, refusal.en) == ("这个议题最多选 3 项。", "Choose at most 3 for this question.")
    assert str(refusal) == refusal.en
    assert refusal.details == {"most": 3}


def test_a_detail_is_never_read_as_a_pattern() -> None:
    refusal = InvalidInput(problem_zh="{x}", problem_en="{0.__class__}")
    assert (refusal.zh, refusal.en) == ("填写有误：{x}", "Invalid input: {0.__class__}")


def test_an_error_lets_go_of_the_frames_that_it_came_through() -> None:
    def fail() -> None:
        try:
            raise KeyError
        except KeyError:
            raise TooManyChoices(most=1) from ValueError()

    with pytest.raises(TooManyChoices) as caught:
        fail()
    error = without_frames(caught.value)
    assert (error.__traceback__, error.__context__) == (None, None)
    assert isinstance(error.__cause__, ValueError)
    error.__cause__.__cause__ = error  # which leads in a circle
    assert without_frames(error) is error


def test_one_refusal_does_not_alter_the_next() -> None:
    Forbidden(sentence_zh="一", sentence_en="one")
    assert Forbidden(sentence_zh="二", sentence_en="two").en.endswith("two")


def test_a_missing_detail_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        TooManyChoices()
