"""What the stock caches are asked to hold, and what shall change it: one query and one change of each thing.

Relay takes no text but what its compiler made of it: `python -m tests.api.caches.documents` has it made anew.
"""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent
REQUESTS = FOLDER / "relay.json"
"""By name, what Relay's compiler made of each document."""

SDL = FOLDER.parents[2] / "schema" / "schema.graphql"
COMPILER = "relay-compiler@21.0.1"
"""It weighs 118 MB, so that it is fetched where it is needed and not with the page's packages."""

TALLY = "id tally { version participating { heads } }"
ATTENDANCE = "id attendance { version signedUp }"
LEDGER = "id balance"


class Held(NamedTuple):
    """A query whose answer the cache holds, and a subscription or mutation whose answer changes it."""

    query: str
    change: str

    @property
    def names(self) -> tuple[str, str]:
        query, change = (text.split("(")[0].split()[1] for text in self)
        return query, change


HELD = {
    "tally": Held(
        f"query HeldTallyQuery($vote: ID!) {{ vote(id: $vote) {{ {TALLY} }} }}",
        f"subscription HeldTallySubscription($vote: ID!) {{ voteProgress(voteId: $vote) {{"
        f" vote {{ {TALLY} }} }} }}",
    ),
    "attendance": Held(
        f"query HeldAttendanceQuery($event: ID!) {{ event(id: $event) {{ {ATTENDANCE} }} }}",
        f"subscription HeldAttendanceSubscription($event: ID!) {{ eventAttendance(eventId: $event) {{"
        f" event {{ {ATTENDANCE} }} }} }}",
    ),
    "balance": Held(
        f"query HeldBalanceQuery($slug: String!) {{ community(slug: $slug) {{ id ledger {{ {LEDGER} }} }} }}",
        f"subscription HeldBalanceSubscription($community: ID!) {{ ledgerBalance(communityId: $community) {{"
        f" ledger {{ {LEDGER} }} }} }}",
    ),
    "receipt": Held(
        f"query HeldReceiptQuery($vote: ID!) {{ vote(id: $vote) {{ {TALLY} }} }}",
        f"mutation HeldReceiptMutation($vote: ID!, $answers: [AnswerInput!]!) {{"
        f" castBallot(voteId: $vote, answers: $answers) {{ id vote {{ {TALLY} }} }} }}",
    ),
}


def compile_for_relay() -> dict[str, Any]:
    with TemporaryDirectory() as made:
        folder = Path(made)
        texts = [f"graphql`{text}`" for held in HELD.values() for text in held]
        (folder / "Held.js").write_text("\n".join(texts), encoding="utf-8")
        settings = {"src": ".", "schema": str(SDL), "language": "javascript", "eagerEsModules": False}
        (folder / "relay.config.json").write_text(json.dumps(settings), encoding="utf-8")
        subprocess.run(["npx", "--yes", COMPILER], cwd=folder, check=True)
        printed = "for (const path of process.argv.slice(1)) console.log(JSON.stringify(require(path)))"
        node = ["node", "-e", printed, *map(str, sorted(folder.glob("__generated__/*.js")))]
        lines = subprocess.run(node, capture_output=True, check=True, encoding="utf-8").stdout.splitlines()
    return {request["params"]["name"]: request for request in map(json.loads, lines)}


if __name__ == "__main__":
    lines = (f"{json.dumps(name)}: {json.dumps(one)}" for name, one in compile_for_relay().items())
    REQUESTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
