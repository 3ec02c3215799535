from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.errors import InvalidInput
from community.ledger.rules import (
    ALLOWED_BY,
    EARLIEST,
    INCOME_CATEGORIES,
    MOST_FEN,
    AuthorityFault,
    AuthorityInvalid,
    BookLine,
    Category,
    CategoryTotal,
    DaySum,
    Decided,
    Direction,
    EntryReversed,
    MonthRow,
    Resolution,
    Undone,
    check_authority,
    check_chain,
    check_entry,
    check_reversal,
    days_of,
    fault_of,
    fold_months,
    fold_years,
    month_in,
    months_before,
    signed,
)
from community.votes.rules import Matter, Outcome

INCOME, EXPENSE = Direction.INCOME, Direction.EXPENSE
ADVERTISING, PARKING, REPAIR = Category.ADVERTISING, Category.PARKING_COMMON, Category.REPAIR_UPGRADE
TODAY = date(2026, 5, 20)


def test_income_adds_and_expense_takes_away() -> None:
    assert (signed(INCOME, 5), signed(EXPENSE, 5), signed(EXPENSE, -5)) == (5, -5, 5)


def test_each_side_of_the_book_has_its_categories() -> None:
    assert len(INCOME_CATEGORIES) == 10
    assert Category.OTHER in INCOME_CATEGORIES
    assert Category.OTHER_RESOLVED not in INCOME_CATEGORIES
    for category in Category:
        fitting = INCOME if category in INCOME_CATEGORIES else EXPENSE
        check_entry(fitting, category, 1, TODAY, TODAY)
        with pytest.raises(InvalidInput, match="other side"):
            check_entry(EXPENSE if fitting is INCOME else INCOME, category, 1, TODAY, TODAY)


@pytest.mark.parametrize(
    ("amount", "on", "problem"),
    [
        (0, TODAY, "above zero"),
        (-1, TODAY, "above zero"),
        (MOST_FEN + 1, TODAY, "too large"),
        (1, TODAY + timedelta(days=1), "future"),
        (1, EARLIEST - timedelta(days=1), "too far back"),
    ],
)
def test_slips_are_refused(amount: int, on: date, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        check_entry(INCOME, ADVERTISING, amount, on, TODAY)


def test_an_entry_is_reversed_once_and_a_reversal_never() -> None:
    check_reversal(None, reversed_before=False)
    with pytest.raises(EntryReversed):
        check_reversal(None, reversed_before=True)
    with pytest.raises(EntryReversed):
        check_reversal(7, reversed_before=False)


@pytest.mark.parametrize(
    ("month", "last"), [("2026-05", 31), ("2024-02", 29), ("2023-02", 28), ("2026-12", 31), ("2026-04", 30)]
)
def test_a_month_has_its_days(month: str, last: int) -> None:
    start, end = days_of(month)
    assert (start.isoformat(), end.isoformat()) == (f"{month}-01", f"{month}-{last}")


@pytest.mark.parametrize(
    "month", ["", "2026", "2026-5", "2026-13", "2026-00", "2026-05-01", "0000-01", "２０２６-05"]
)
def test_what_is_no_month(month: str) -> None:
    with pytest.raises(InvalidInput, match="2026-05"):
        days_of(month)


BOOK = [
    DaySum(date(2026, 3, 31), INCOME, PARKING, 10_000, 2),
    DaySum(date(2026, 1, 5), INCOME, ADVERTISING, 7_000, 1),
    DaySum(date(2026, 1, 9), INCOME, ADVERTISING, 500, 1),
    DaySum(date(2026, 1, 31), EXPENSE, REPAIR, 9_000, 3),
    DaySum(date(2026, 1, 1), INCOME, PARKING, 7_500, 1),
]


def test_months_follow_each_other_without_gaps_and_carry_the_balance() -> None:
    january, february, march = fold_months(BOOK)
    assert january == MonthRow(
        "2026-01", 0, 15_000, 9_000, 6_000, 6,
        [
            CategoryTotal(EXPENSE, REPAIR, 9_000),
            CategoryTotal(INCOME, PARKING, 7_500),  # of equals, the order of the codes
            CategoryTotal(INCOME, ADVERTISING, 7_500),
        ],
    )  # fmt: skip
    assert february == MonthRow("2026-02", 6_000, 0, 0, 6_000, 0, [])
    assert march == MonthRow("2026-03", 6_000, 10_000, 0, 16_000, 2, [CategoryTotal(INCOME, PARKING, 10_000)])
    assert fold_months([]) == []


def test_a_month_is_found_empty_after_the_last_and_missing_before_the_first() -> None:
    months = fold_months(BOOK)
    assert month_in(months, "2026-02") is months[1]
    assert month_in(months, "2027-01") == MonthRow("2027-01", 16_000, 0, 0, 16_000, 0, [])
    assert month_in(months, "2025-12") is None
    assert month_in([], "2026-01") is None
    with pytest.raises(InvalidInput):
        month_in([], "May")


resolutions = st.builds(
    Resolution,
    consultation=st.booleans(),
    annulled=st.booleans(),
    decided=st.lists(
        st.builds(
            Decided,
            matter=st.sampled_from(Matter),
            whole=st.booleans(),
            outcome=st.sampled_from([None, *Outcome]),
        ),
        max_size=4,
    ),
)


@given(st.sampled_from(Direction), resolutions)
def test_only_an_adopted_decision_of_all_owners_on_this_very_matter_allows(
    direction: Direction, vote: Resolution
) -> None:
    matter = {INCOME: Matter.CHANGE_COMMON_PARTS, EXPENSE: Matter.SPEND_INCOME}[direction]
    fitting = [question for question in vote.decided if question.matter is matter]
    adopted = {question.outcome for question in fitting} == {Outcome.ADOPTED}
    of_all = any(question.whole for question in fitting)
    allowed = adopted and of_all and not vote.annulled and not vote.consultation
    assert (fault_of(direction, vote) is None) == allowed
    if allowed:
        check_authority(direction, vote)
        return
    with pytest.raises(AuthorityInvalid) as refused:
        check_authority(direction, vote)
    said = refused.value
    assert said.field == "entry.authorityVoteId"
    assert "{" not in said.zh + said.en


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(
    ("outcomes", "fault"),
    [
        ([None], AuthorityFault.NOT_COUNTED),
        ([Outcome.PENDING], AuthorityFault.NOT_COUNTED),
        ([Outcome.NOT_ADOPTED], AuthorityFault.NOT_ADOPTED),
        ([Outcome.NO_QUORUM], AuthorityFault.NO_QUORUM),
        ([Outcome.NO_QUORUM, Outcome.NOT_ADOPTED], AuthorityFault.NOT_ADOPTED),
        ([Outcome.ADOPTED, Outcome.ADOPTED], None),
        ([Outcome.NOT_ADOPTED, Outcome.ADOPTED], AuthorityFault.NOT_ADOPTED),
        ([Outcome.ADOPTED, Outcome.NO_QUORUM], AuthorityFault.NO_QUORUM),
        ([Outcome.ADOPTED, Outcome.PENDING, Outcome.NOT_ADOPTED], AuthorityFault.NOT_COUNTED),
        ([Outcome.ADOPTED, None], AuthorityFault.NOT_COUNTED),
        ([], AuthorityFault.OTHER_MATTER),
    ],
)
def test_each_fault_is_named(
    direction: Direction, outcomes: list[Outcome | None], fault: AuthorityFault | None
) -> None:
    decided = [Decided(ALLOWED_BY[direction], True, outcome) for outcome in outcomes]
    other = [Decided(Matter.USE_FUND, True, Outcome.ADOPTED)]
    assert fault_of(direction, Resolution(False, False, decided + other)) is fault
    assert fault_of(direction, Resolution(False, True, decided)) is AuthorityFault.ANNULLED
    assert fault_of(direction, Resolution(True, False, decided)) is AuthorityFault.CONSULTATION


@pytest.mark.parametrize("direction", Direction)
def test_a_question_that_was_adopted_beside_the_one_that_failed_allows_nothing(direction: Direction) -> None:
    """The entry does not say which of them it means, nor is one building's question that of all."""
    matter, other = ALLOWED_BY[direction], Decided(Matter.USE_FUND, True, Outcome.NOT_ADOPTED)
    adopted = Decided(matter, True, Outcome.ADOPTED)
    for whole in (True, False):
        beside = Decided(matter, whole, Outcome.NOT_ADOPTED)
        for decided in ([adopted, beside], [beside, adopted]):
            assert fault_of(direction, Resolution(False, False, decided)) is AuthorityFault.NOT_ADOPTED
    assert fault_of(direction, Resolution(False, False, [adopted, other])) is None
    alone = Resolution(False, False, [Decided(matter, False, Outcome.ADOPTED)])
    assert fault_of(direction, alone) is AuthorityFault.OTHER_MATTER


def test_years_are_those_of_the_calendar_and_older_months_are_reached() -> None:
    months = fold_months([*BOOK, DaySum(date(2024, 11, 3), EXPENSE, REPAIR, 40, 1)])
    years = fold_years(months)
    assert [(year.year, year.opening, year.income, year.expense, year.closing) for year in years] == [
        (2024, 0, 0, 40, -40),
        (2025, -40, 0, 0, -40),
        (2026, -40, 25_000, 9_000, 15_960),
    ]
    assert [(year.months[0].month, year.months[-1].month, year.entries) for year in years] == [
        ("2024-11", "2024-12", 1), ("2025-01", "2025-12", 0), ("2026-01", "2026-03", 8),
    ]  # fmt: skip
    assert months_before(months, None) == months
    assert [row.month for row in months_before(months, "2025-02")] == ["2024-11", "2024-12", "2025-01"]
    assert months_before(months, "2030-01") == months
    with pytest.raises(InvalidInput) as refused:
        months_before(months, "2025")
    assert refused.value.field == "before"


day_sums = st.builds(
    DaySum,
    date=st.dates(date(2023, 11, 1), date(2026, 5, 20)),
    direction=st.sampled_from(Direction),
    category=st.sampled_from(Category),
    amount=st.integers(-(10**12), 10**12),
    entries=st.integers(1, 9),
    undone=st.builds(Undone, st.integers(0, 10**12), st.integers(-(10**12), 0)),
)


@given(st.lists(day_sums))
def test_every_month_adds_up_and_opens_where_the_one_before_closed(sums: list[DaySum]) -> None:
    months = fold_months(sums)
    opening = 0
    for month in months:
        assert month.opening == opening
        assert month.closing == month.opening + month.income - month.expense
        for direction, total in ((INCOME, month.income), (EXPENSE, month.expense)):
            assert total == sum(one.amount for one in month.categories if one.direction is direction)
        opening = month.closing
    assert opening == sum(signed(one.direction, one.amount) for one in sums)
    assert sum(month.entries for month in months) == sum(one.entries for one in sums)
    assert [month.month for month in months] == sorted({month.month for month in months})


@given(st.lists(day_sums))
def test_what_was_undone_is_the_same_by_category_month_and_year(sums: list[DaySum]) -> None:
    months = fold_months(sums)
    for direction in Direction:
        own = [one.undone for one in sums if one.direction is direction]
        whole = (sum(one.reversed for one in own), sum(one.reversals for one in own))
        for rows in (months, fold_years(months)):
            undone = [row.undone(direction) for row in rows]
            assert (sum(one.reversed for one in undone), sum(one.reversals for one in undone)) == whole


LINES = [
    BookLine(1, 1, INCOME, PARKING, 500, 500, None),
    BookLine(2, 2, EXPENSE, REPAIR, 200, 300, None),
    BookLine(3, 3, EXPENSE, REPAIR, -200, 500, 2),
]
CLOSED = fold_months([DaySum(TODAY, INCOME, PARKING, 500, 1)])


def test_a_right_book_has_no_differences() -> None:
    assert check_chain(LINES, CLOSED) == []
    assert check_chain([], []) == []


@pytest.mark.parametrize(
    ("index", "wrong", "said"),
    [
        (0, {"number": 2}, "entry 2: stands at place 1"),
        (0, {"balance": 501}, "entry 1: says balance 501, adds up to 500"),
        (2, {"reverses": 9}, "entry 3: reverses an entry that is not in this book"),
        (2, {"reverses": 1}, "entry 3: does not take back entry 1 whole"),
        (2, {"category": Category.AUDIT}, "entry 3: does not take back entry 2 whole"),
    ],
)
def test_each_difference_is_said(index: int, wrong: dict[str, object], said: str) -> None:
    lines = list(LINES)
    lines[index] = lines[index]._replace(**wrong)  # type: ignore[arg-type]
    assert check_chain(lines, CLOSED) == [said]


def test_taking_back_twice_or_a_reversal_is_said() -> None:
    twice = [*LINES, BookLine(4, 4, EXPENSE, REPAIR, -200, 700, 2)]
    closed = fold_months([DaySum(TODAY, INCOME, PARKING, 700, 1)])
    assert check_chain(twice, closed) == ["entry 4: reverses entry 2 once more"]
    again = [*LINES, BookLine(4, 4, EXPENSE, REPAIR, 200, 300, 3)]
    closed = fold_months([DaySum(TODAY, INCOME, PARKING, 300, 1)])
    assert check_chain(again, closed) == ["entry 4: does not take back entry 3 whole"]


def test_months_that_do_not_close_like_the_entries_are_said() -> None:
    assert check_chain(LINES, []) == ["the months close with 0, the entries with 500"]
