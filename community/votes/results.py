"""What a count makes of a question, as written down: the same columns for who writes and who recounts."""

import json
from typing import Any

from community.votes.rules import Tally


def result_of(tally: Tally) -> dict[str, Any]:
    """The columns of a CountResult; `choices` is JSON of heads and area (hundredths of m²) by choice."""
    choices = {choice: [weight.heads, weight.area] for choice, weight in sorted(tally.choices.items())}
    return {
        "outcome": tally.outcome,
        "participating_heads": tally.participating.heads,
        "participating_area": tally.participating.area,
        "agreeing_heads": tally.agreeing.heads,
        "agreeing_area": tally.agreeing.area,
        "choices": json.dumps(choices, ensure_ascii=False),
    }
