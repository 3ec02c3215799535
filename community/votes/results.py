"""A closing count as it is written down: the same columns for whoever writes and whoever recounts."""

import json
from typing import Any

from community.votes.rules import Tally


def result_of(tally: Tally, sequence: int) -> dict[str, Any]:
    """The columns of a QuestionResult; `choices` is JSON of heads and area (hundredths of m²) by choice."""
    choices = {choice: [weight.heads, weight.area] for choice, weight in sorted(tally.choices.items())}
    return {
        "sequence": sequence,
        "outcome": tally.outcome,
        "participating_heads": tally.participating.heads,
        "participating_area": tally.participating.area,
        "agreeing_heads": tally.agreeing.heads,
        "agreeing_area": tally.agreeing.area,
        "choices": json.dumps(choices, ensure_ascii=False),
    }
