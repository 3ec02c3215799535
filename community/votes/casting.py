"""Whether a ballot may be cast now, and whether its answers fit the questions."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from community.errors import ErrorCode, InvalidInput, Refused
from community.members.rules import NotRepresentative
from community.text import body_if_any

LONGEST_TEXT = 1000


class VoteForm(StrEnum):
    """What a vote is worth: decided here, taken over from the official system, or only asked (HZ 20)."""

    STATUTORY_LOCAL = "STATUTORY_LOCAL"
    STATUTORY_IMPORTED = "STATUTORY_IMPORTED"
    CONSULTATION = "CONSULTATION"


class VoteStatus(StrEnum):
    DRAFT = "DRAFT"
    ANNOUNCED = "ANNOUNCED"
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    ON_DISPLAY = "ON_DISPLAY"
    CERTIFIED = "CERTIFIED"
    PUBLISHED = "PUBLISHED"
    ANNULLED = "ANNULLED"


class QuestionKind(StrEnum):
    """A resolution is answered FOR, AGAINST, ABSTAIN (FOLLOW where offered); a survey has its own options."""

    RESOLUTION = "RESOLUTION"
    SURVEY = "SURVEY"


class Channel(StrEnum):
    ONLINE = "ONLINE"
    PAPER = "PAPER"
    PHONE = "PHONE"
    DOOR_TO_DOOR = "DOOR_TO_DOOR"
    MAIL = "MAIL"


class Validity(StrEnum):
    VALID = "VALID"
    INVALID = "INVALID"


class VoteNotOpen(Refused):
    code = ErrorCode.VOTE_NOT_OPEN
    zh = "表决还没有开始。"
    en = "The vote has not opened yet."


class VoteClosed(Refused):
    code = ErrorCode.VOTE_CLOSED
    zh = "表决已经截止，不能再投票了。"
    en = "The vote has closed; no more ballots are taken."


class NotOnRoll(Refused):
    code = ErrorCode.NOT_ON_ROLL
    zh = "这次表决的业主名册里没有您。只有业主能投票，租户不能。"
    en = "You are not on the roll of this vote. Only its owners vote; tenants do not."


class AlreadyCast(Refused):
    code = ErrorCode.ALREADY_CAST
    zh = "您家已经投过票了，投出后不能改。"
    en = "Your party has already cast its ballot; it cannot be changed."


class PartyRequired(Refused):
    code = ErrorCode.PARTY_REQUIRED
    zh = "您代表几户业主，请说明这一票代表哪一户。"
    en = "You act for several owner parties; say for which one this ballot is."


class ByName(PartyRequired):
    """A statutory vote is by name and open to inspection (民法典 278: heads and area of owners)."""

    zh = "法定表决是实名的，每张票都要写明代表哪一户。"
    en = "A statutory vote is by name; each ballot says for which owner party it is."


class UnknownQuestion(Refused):
    code = ErrorCode.UNKNOWN_QUESTION
    zh = "这次表决没有这个议题。"
    en = "This vote has no such question."


class UnknownChoice(Refused):
    code = ErrorCode.UNKNOWN_CHOICE
    zh = "这个议题没有这个选项。"
    en = "This question has no such choice."


class TooManyChoices(Refused):
    code = ErrorCode.TOO_MANY_CHOICES
    zh = "这个议题最多选 {most} 项。"
    en = "Choose at most {most} for this question."


class TooFewChoices(Refused):
    code = ErrorCode.TOO_FEW_CHOICES
    zh = "每个议题都要选，至少选 {least} 项。"
    en = "Answer every question with at least {least}."


class EmptyBallot(TooFewChoices):
    """A ballot that says nothing would be the party's only one, and a turnout that no question knows of."""

    zh = "这张票什么也没有选，也没有写，所以没有收下。请至少回答一题。"
    en = "Nothing is marked or written on this ballot, so it was not taken. Answer at least one question."


_RECEIPT_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is taken for another


def receipt_code(ballot: int) -> str:
    """What a voter reads out or writes down, such as 7F3K-92QD-M4; it says nothing of the ballot."""
    number = int.from_bytes(blake2b(str(ballot).encode(), digest_size=8).digest())
    letters = ""
    for _ in range(10):
        number, digit = divmod(number, len(_RECEIPT_LETTERS))
        letters += _RECEIPT_LETTERS[digit]
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def is_code(typed: str, code: str) -> bool:
    """Whether somebody who reads a receipt code off a slip means this one."""
    return re.sub(r"\W", "", typed).upper() == code.replace("-", "")


def status_of(
    now: datetime,
    opens_at: datetime,
    closes_at: datetime,
    counted_at: datetime | None = None,
    annulled_at: datetime | None = None,
) -> VoteStatus:
    """A function of the row and the instant: open while opens_at ≤ now < closes_at.

    Once counted it is closed, whatever a clock says. `votes_page` asks the database the same.
    """
    if annulled_at is not None:
        return VoteStatus.ANNULLED
    if counted_at is not None:
        return VoteStatus.CLOSED
    if now < opens_at:
        return VoteStatus.ANNOUNCED
    return VoteStatus.OPEN if now < closes_at else VoteStatus.CLOSED


def check_open(status: VoteStatus) -> None:
    """Raises VoteNotOpen before the opening, VoteClosed after the close."""
    if status in (VoteStatus.DRAFT, VoteStatus.ANNOUNCED):
        raise VoteNotOpen
    if status is not VoteStatus.OPEN:
        raise VoteClosed


@dataclass(frozen=True, slots=True)
class Seat:
    """An owner party on the roll, as far as one of its own may cast for it."""

    may_cast: bool
    has_cast: bool


def check_seats(seats: Collection[Seat], *, revisable: bool) -> None:
    """Raises NotOnRoll, NotRepresentative or AlreadyCast where none of the seats has anything to cast."""
    if not seats:
        raise NotOnRoll
    own = [seat for seat in seats if seat.may_cast]
    if not own:
        raise NotRepresentative
    if not revisable and all(seat.has_cast for seat in own):
        raise AlreadyCast


def check_anonymous(form: VoteForm) -> None:
    """Raises ByName: a ballot without its party may only be asked for where nothing is decided."""
    if form is not VoteForm.CONSULTATION:
        raise ByName(field="party")


def check_ruling(party: int | None, *, stands: bool, counts: bool) -> None:
    """Whether a ballot that now `stands`, counts for its party, may be ruled to count or to be void.

    Raises InvalidInput where it would change nothing, and for an anonymous ballot: it counts for itself, and
    nobody could say whom the ruling is about.
    """
    if party is None:
        raise InvalidInput(
            problem_zh="不记名的票不能裁定", problem_en="an anonymous ballot is not ruled on", field="ballot"
        )
    if stands == counts:
        raise InvalidInput(
            problem_zh="这张票本来就计入" if counts else "这张票本来就不计入",
            problem_en="the ballot counts already" if counts else "the ballot does not count as it is",
            field="ballot",
        )


@dataclass(frozen=True, slots=True)
class QuestionTerms:
    """What a question takes as an answer. A text answers a survey; a resolution needs a choice."""

    choices: Collection[str]
    least: int
    most: int
    accepts_text: bool
    survey: bool = True


@dataclass(frozen=True, slots=True)
class Answered:
    """As marked; `choices` by their codes."""

    question: int
    choices: Sequence[str]
    text: str | None = None


def cleaned_answers(answers: Sequence[Answered]) -> list[Answered]:
    """With clean texts, in the order given. Raises InvalidInput."""
    return [
        replace(
            answer,
            text=body_if_any(
                answer.text, LONGEST_TEXT, f"第 {index + 1} 题的文字", f"the text of answer {index + 1}",
                field=f"answers.{index}.text",
            ),
        )
        for index, answer in enumerate(answers)
    ]  # fmt: skip


def meaning_of(answers: Sequence[Answered]) -> list[list[object]]:
    """The same for answers that say the same, in whatever order; an empty one says nothing."""
    return sorted(
        [answer.question, sorted(answer.choices), answer.text or ""]
        for answer in answers
        if answer.choices or answer.text
    )


def check_answers(questions: Mapping[int, QuestionTerms], answers: Sequence[Answered]) -> None:
    """`asked`: the questions this party may answer, by id; `answers` with clean texts.

    Raises UnknownQuestion, UnknownChoice, TooManyChoices, TooFewChoices (also where a question
    is left out), InvalidInput for a doubled answer or a text nobody asked for, EmptyBallot where nothing at
    all is said. The refusal names its location.
    """
    answered: set[int] = set()
    for index, answer in enumerate(answers):
        _check_answer(questions.get(answer.question), answer, f"answers.{index}")
        if answer.question in answered:
            raise InvalidInput(
                problem_zh="同一个议题回答了两次",
                problem_en="a question is answered twice",
                field=f"answers.{index}.questionId",
                question=answer.question,
            )
        answered.add(answer.question)
    for question, terms in questions.items():
        if terms.least > 0 and question not in answered:
            raise TooFewChoices(least=terms.least, field="answers", question=question)
    if not any(answer.choices or answer.text for answer in answers):
        raise EmptyBallot(field="answers")


def _check_answer(terms: QuestionTerms | None, answer: Answered, path: str) -> None:
    question, choices = answer.question, answer.choices
    if terms is None:
        raise UnknownQuestion(field=f"{path}.questionId", question=question)
    for index, choice in enumerate(choices):
        where: dict[str, Any] = {"field": f"{path}.choices.{index}", "question": question, "choice": choice}
        if choice not in terms.choices:
            raise UnknownChoice(**where)
        if choice in choices[:index]:
            raise InvalidInput(
                problem_zh="同一个选项选了两次", problem_en="a choice is marked twice", **where
            )
        if index == terms.most:
            raise TooManyChoices(most=terms.most, **where)
    least = max(1, terms.least) if answer.text and not terms.survey else terms.least
    if len(choices) < least:
        raise TooFewChoices(least=least, field=f"{path}.choices", question=question)
    if answer.text and not terms.accepts_text:
        raise InvalidInput(
            problem_zh="这个议题不收文字",
            problem_en="this question takes no text",
            field=f"{path}.text",
            question=question,
        )
