"""What is written of a closing count says all that was counted, in one spelling."""

from community.votes.results import result_of
from community.votes.rules import CountingRules, Matter, Sums, Weight, count


def test_every_choice_is_written_in_one_spelling() -> None:
    there = {"FOR": Weight(2, 200_00), "AGAINST": Weight(1, 90_01)}
    back = dict(reversed(there.items()))
    written = [
        result_of(count(Matter.USE_FUND, CountingRules(), Sums(Weight(4, 400_00), choices)))
        for choices in (there, back)
    ]
    assert written[0] == written[1]
    assert written[0]["choices"] == '{"AGAINST": [1, 9001], "FOR": [2, 20000]}'
    assert (written[0]["agreeing_heads"], written[0]["agreeing_area"]) == (2, 200_00)


def test_another_mark_is_another_result() -> None:
    def written(mark: str) -> object:
        sums = Sums(Weight(3, 300_00), {"FOR": Weight(1, 100_00), mark: Weight(1, 100_00)})
        return result_of(count(Matter.USE_FUND, CountingRules(), sums))

    assert written("AGAINST") != written("ABSTAIN")
