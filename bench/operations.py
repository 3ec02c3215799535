"""What the bench asks: a tally to watch, a ballot to cast, a small question beside them."""

from typing import Any

from bench.demonstration import SLUG

TALLY = """subscription ($id: ID!) { voteProgress(voteId: $id) { version
  eligible { heads area } participating { heads area }
  questions { questionId choices { choice weight { heads area } }
    conditions { gate measure have met } } } }"""
"""As the page of a statutory vote shows it; about 740 bytes a message."""

SURVEY = """subscription ($id: ID!) { voteProgress(voteId: $id) { version
  participating { heads area } questions { questionId choices { choice weight { heads } } } } }"""
"""Of the survey, whose ballots may be changed as often as one likes; a little longer."""

BALLOT = """mutation ($id: ID!, $answers: [AnswerInput!]!) {
  castBallot(voteId: $id, answers: $answers) { id code } }"""

VOTES = """query ($slug: String!) { community(slug: $slug) { votes(status: [OPEN]) { edges { node {
  id form questions { id minChoices choices { code } } } } } } }"""

VOTES_WITH_ALL = """query ($slug: String!) { community(slug: $slug) { votes(first: 35) { edges { node {
  id number title form announcedAt opensAt closesAt revisable
  convener { id kind name } community { id slug name }
  questions { id title kind matter minChoices maxChoices choices { code label } } } } } } }"""
"""The last evening of a vote: what a board shows of all of them."""

ENTRIES = """query ($slug: String!) { community(slug: $slug) { ledger { entries(first: 100) { edges { node {
  id number date direction category item counterparty voucher amount recordedAt } } } } } }"""

SMALL = """query ($slug: String!) { community(slug: $slug) { name } }"""


def subscription(document: str, vote: str) -> dict[str, Any]:
    return {"query": document, "variables": {"id": vote}}


def ballot(vote: dict[str, Any], number: int) -> dict[str, Any]:
    """Ballot after ballot marks another choice."""
    answers = []
    for question in vote["questions"]:
        codes = [choice["code"] for choice in question["choices"]]
        start = number % len(codes)
        marked = (codes[start:] + codes[:start])[: max(1, question["minChoices"])]
        answers.append({"questionId": question["id"], "choices": marked})
    return {"query": BALLOT, "variables": {"id": vote["id"], "answers": answers}}


def votes() -> dict[str, Any]:
    return {"query": VOTES, "variables": {"slug": SLUG}}


def small() -> dict[str, Any]:
    return {"query": SMALL, "variables": {"slug": SLUG}}
