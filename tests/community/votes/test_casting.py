import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.errors import ErrorCode, InvalidInput, Refused
from community.members.rules import NotRepresentative
from community.votes.casting import (
    LONGEST_TEXT,
    AlreadyCast,
    Answered,
    EmptyBallot,
    NotOnRoll,
    QuestionTerms,
    Seat,
    TooFewChoices,
    TooManyChoices,
    UnknownChoice,
    UnknownQuestion,
    check_answers,
    check_seats,
    cleaned_answers,
    meaning_of,
    receipt_code,
)

ONE = QuestionTerms(("FOR", "AGAINST", "ABSTAIN"), 1, 1, accepts_text=False)
MANY = QuestionTerms(("A", "B", "C"), 0, 2, accepts_text=True)
OLD = QuestionTerms(("FOR", "AGAINST"), 0, 1, accepts_text=True, survey=False)
"""A resolution as could be announced once: it may be left out, and takes a text."""


@pytest.mark.parametrize(
    "answers",
    [
        [Answered(1, ["FOR"])],
        [Answered(1, ["ABSTAIN"]), Answered(2, [])],
        [Answered(2, ["B", "A"]), Answered(1, ["AGAINST"])],
        [Answered(1, ["FOR"]), Answered(2, ["C"], "x" * LONGEST_TEXT)],
        [Answered(1, ["FOR"], ""), Answered(2, [], "只有文字")],
    ],
)
def test_answers_that_fit(answers: list[Answered]) -> None:
    check_answers({1: ONE, 2: MANY}, answers)


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        ([], TooFewChoices),
        ([Answered(2, ["A"])], TooFewChoices),
        ([Answered(1, [])], TooFewChoices),
        ([Answered(3, ["FOR"])], UnknownQuestion),
        ([Answered(1, ["FOLLOW"])], UnknownChoice),
        ([Answered(1, ["for"])], UnknownChoice),
        ([Answered(1, ["A"])], UnknownChoice),
        ([Answered(1, ["FOR", "AGAINST"])], TooManyChoices),
        ([Answered(1, ["FOR"]), Answered(2, ["A", "B", "C"])], TooManyChoices),
        ([Answered(1, ["FOR", "FOR"])], InvalidInput),
        ([Answered(1, ["FOR"]), Answered(1, ["AGAINST"])], InvalidInput),
        ([Answered(1, ["FOR"], "因为")], InvalidInput),
    ],
)
def test_answers_that_do_not_fit(answers: list[Answered], refusal: type[Refused]) -> None:
    with pytest.raises(refusal) as refused:
        check_answers({1: ONE, 2: MANY}, answers)
    assert refused.type is refusal


@pytest.mark.parametrize(
    "answers", [[], [Answered(2, [])], [Answered(2, [], "")], [Answered(2, []), Answered(3, [], None)]]
)
def test_a_ballot_says_something(answers: list[Answered]) -> None:
    with pytest.raises(EmptyBallot) as refused:
        check_answers({2: MANY, 3: MANY}, answers)
    assert (refused.value.code, refused.value.field) == (ErrorCode.TOO_FEW_CHOICES, "answers")
    check_answers({2: MANY, 3: MANY}, [Answered(2, []), Answered(3, [], "只有文字")])


def test_a_text_is_no_answer_to_a_resolution() -> None:
    """It would spend the party's ballot, and no question would know of it."""
    text, choice = Answered(1, [], "再想想"), Answered(1, ["FOR"], "再想想")
    for others in ([], [Answered(2, ["A"])], [Answered(2, [], "好")]):
        with pytest.raises(TooFewChoices, match="at least 1") as refused:
            check_answers({1: OLD, 2: MANY}, [*others, text])
        assert (refused.value.field, refused.value.question) == (f"answers.{len(others)}.choices", 1)
        check_answers({1: OLD, 2: MANY}, [*others, choice])
    check_answers({1: OLD, 2: MANY}, [Answered(1, []), Answered(2, [], "好")])
    for empty in ([], [Answered(1, [])], [Answered(1, [], "")]):
        with pytest.raises(EmptyBallot):
            check_answers({1: OLD}, empty)


def test_the_refusal_says_how_many() -> None:
    with pytest.raises(TooManyChoices, match="at most 2"):
        check_answers({2: MANY}, [Answered(2, ["A", "B", "C"])])
    with pytest.raises(TooFewChoices, match="at least 1"):
        check_answers({1: ONE}, [])


questions = st.dictionaries(
    st.integers(1, 3),
    st.builds(
        lambda least, more, text, survey: QuestionTerms("AB", least, least + more, text, survey),
        st.integers(0, 1),
        st.integers(0, 1),
        st.booleans(),
        st.booleans(),
    ),
)
answers = st.lists(
    st.builds(
        Answered,
        st.integers(1, 3),
        st.lists(st.sampled_from("ABC"), max_size=3),
        st.sampled_from([None, "x"]),
    ),
    max_size=4,
)


@given(questions, answers)
def test_what_is_accepted_obeys_every_term(asked: dict[int, QuestionTerms], given: list[Answered]) -> None:
    try:
        check_answers(asked, given)
    except Refused:
        return
    by_question: dict[int, Any] = {answer.question: answer for answer in given}
    assert len(by_question) == len(given)
    for question, terms in asked.items():
        marked = by_question[question].choices if question in by_question else []
        assert terms.least <= len(marked) <= terms.most or (terms.least == 0 and not marked)
        assert len(set(marked)) == len(marked)
        assert set(marked) <= set(terms.choices)
    assert set(by_question) <= set(asked)
    said = [key for key, one in by_question.items() if one.choices or (one.text and asked[key].survey)]
    assert said, "some question knows of the ballot"
    assert all(one.choices for key, one in by_question.items() if one.text and not asked[key].survey)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_a_receipt_is_short_readable_and_its_ballots_own(ballot: int, other: int) -> None:
    assert re.fullmatch(
        "[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{2}", receipt_code(ballot)
    )
    assert receipt_code(ballot) == receipt_code(ballot)
    assert (receipt_code(ballot) == receipt_code(other)) == (ballot == other)


ASKED = {1: ONE, 2: MANY}


@pytest.mark.parametrize(
    ("answers", "field", "question", "choice"),
    [
        ([Answered(1, ["FOR"]), Answered(9, ["A"])], "answers.1.questionId", 9, None),
        ([Answered(2, ["A", "X"]), Answered(1, ["FOR"])], "answers.0.choices.1", 2, "X"),
        ([Answered(1, ["FOR", "AGAINST"])], "answers.0.choices.1", 1, "AGAINST"),
        ([Answered(2, ["A", "A"])], "answers.0.choices.1", 2, "A"),
        ([Answered(2, ["A"]), Answered(1, [])], "answers.1.choices", 1, None),
        ([Answered(2, ["A"])], "answers", 1, None),
        ([Answered(1, ["FOR"]), Answered(1, ["FOR"])], "answers.1.questionId", 1, None),
        ([Answered(1, ["FOR"], "因为")], "answers.0.text", 1, None),
    ],
)
def test_a_refusal_names_the_place_the_question_and_the_choice(
    answers: list[Answered], field: str, question: int, choice: str | None
) -> None:
    with pytest.raises(Refused) as refused:
        check_answers(ASKED, answers)
    found = refused.value
    assert (found.field, found.question, found.choice) == (field, question, choice)


def test_texts_are_taken_in_clean_and_refused_at_their_place() -> None:
    given = [Answered(1, ["FOR"], " \t"), Answered(2, [], " 好\r\n的 ")]
    assert [answer.text for answer in cleaned_answers(given)] == [None, "好\n的"]
    for text in ("x" * (LONGEST_TEXT + 1), "\u202e12", "\x00"):
        with pytest.raises(InvalidInput) as refused:
            cleaned_answers([*given, Answered(3, [], text)])
        assert refused.value.field == "answers.2.text"
        assert "3" in refused.value.zh


def test_answers_mean_the_same_in_any_order_and_an_empty_one_means_nothing() -> None:
    given = [Answered(2, ["A", "B"]), Answered(1, [], "好"), Answered(3, [])]
    assert meaning_of(given) == meaning_of([Answered(1, (), "好"), Answered(2, ("B", "A"), None)])
    for other in (
        [Answered(2, ["A"]), Answered(1, [], "好")],
        [Answered(2, ["A", "B"]), Answered(1, [], "坏")],
        [Answered(1, ["A", "B"]), Answered(2, [], "好")],
        [Answered(2, ["A", "B", "B"]), Answered(1, [], "好")],
    ):
        assert meaning_of(other) != meaning_of(given)


MINE, ANOTHERS = Seat(may_cast=True, has_cast=False), Seat(may_cast=False, has_cast=False)


@pytest.mark.parametrize(
    ("seats", "revisable", "refusal"),
    [
        ([], False, NotOnRoll),
        ([ANOTHERS], False, NotRepresentative),
        ([replace(ANOTHERS, has_cast=True)], True, NotRepresentative),
        ([replace(MINE, has_cast=True)], False, AlreadyCast),
        ([replace(MINE, has_cast=True), ANOTHERS], False, AlreadyCast),
        ([replace(MINE, has_cast=True)], True, None),
        ([replace(MINE, has_cast=True), MINE], False, None),
        ([MINE, ANOTHERS], False, None),
    ],
)
def test_there_is_something_to_cast_where_one_seat_of_the_viewers_own_is_open(
    seats: list[Seat], revisable: bool, refusal: type[Refused] | None
) -> None:
    if refusal is None:
        check_seats(seats, revisable=revisable)
    else:
        with pytest.raises(refusal):
            check_seats(seats, revisable=revisable)
