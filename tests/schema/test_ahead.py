"""What a document may ask of a row, and that nothing else is read."""

from typing import Any

import pytest
from graphql import GraphQLObjectType

from community.database.rows import EVERY
from community.ledger.reads import _ENTRIES as ENTRIES
from community.ledger.reads import EntryRow
from community.votes.reads import _ASKED as ASKED
from community.votes.reads import _VOTES as VOTES
from community.votes.reads import QuestionRow, VoteRow
from schema.ahead import COLUMNS, columns_for, words_in
from schema.nodes import NODES
from schema.schema import graphql_schema

SELECTED = "query Q { x: entries { edges { node { number ...F } } } } fragment F on Entry { id }"


def test_the_names_of_all_fields_are_words_of_the_document() -> None:
    assert {"entries", "edges", "node", "number", "id"} <= words_in(SELECTED)
    assert not {"balance", "numb"} & words_in(SELECTED)


@pytest.mark.parametrize(
    ("row", "text", "columns"),
    [
        (EntryRow, SELECTED, {"id", "number"}),
        (EntryRow, "{ recordedBy reversedBy { amount } }", {"recorded_for", "reversed_by", "amount"}),
        (EntryRow, "{ balance }", {EVERY, "balance"}),
        (EntryRow, "{ authorityFault }", {EVERY, "authority_fault"}),
        (VoteRow, "{ convener { name } community { id } }", {"convener_id", "community_id", "id"}),
        (VoteRow, "{ scope { units } title }", {"building_id", "title"}),
        (VoteRow, "{ status }", {EVERY, "status"}),
        (VoteRow, "{ __typename }", set()),
    ],
)
def test_what_the_fields_of_a_document_read(row: type, text: str, columns: set[str]) -> None:
    assert columns_for(words_in(text), row) == columns


@pytest.mark.parametrize("node", NODES.values())
def test_every_field_of_a_node_says_what_it_reads(node: Any) -> None:
    found = graphql_schema.core.type_map[node.__strawberry_definition__.name]
    assert isinstance(found, GraphQLObjectType)
    assert COLUMNS[node.row].keys() == found.fields.keys()
    assert all(read <= set(node.row._fields) or EVERY in read for read in COLUMNS[node.row].values())


@pytest.mark.parametrize(("shape", "row"), [(ENTRIES, EntryRow), (VOTES, VoteRow), (ASKED, QuestionRow)])
def test_all_that_is_computed_is_shown_by_a_field_that_says_so(shape: Any, row: type) -> None:
    assert shape._computed.keys() <= frozenset().union(*COLUMNS[row].values())


WAY = "{ communities { edges { node { %s } } } }"


@pytest.mark.parametrize(
    ("query", "table", "unread"),
    [
        ("ledger { entries { edges { node { number } } } }", "entry", {"item", "balance", "r.id", "g.role"}),
        ("ledger { entries { edges { node { balance } } } }", "entry", {"r.id", "g.role"}),
        ("ledger { entries { edges { node { authorityFault } } } }", "entry", {"balance", "r.id", "g.role"}),
        ("notices { edges { node { title } } }", "notice", {"t.body"}),
        ("events { edges { node { title } } }", "event", {"t.description"}),
        ("votes { edges { node { title } } }", "vote", {"description", "building_id"}),
        ("votes { edges { node { status } } }", "vote", {"building_id"}),
        ("votes { edges { node { questions { kind } } } }", "question", {"title", "choice", "building_id"}),
    ],
)
async def test_columns_that_nobody_selects_are_not_read(
    house: Any, statements: list[str], query: str, table: str, unread: set[str]
) -> None:
    statements.clear()
    await house.ask(WAY % query, "spring/resident-1")
    (statement,) = [each for each in statements if f"{table} t" in each]
    assert not {column for column in unread if column in statement}
