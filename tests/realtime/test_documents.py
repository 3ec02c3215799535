import gc
import re
import tracemalloc
from datetime import UTC, datetime
from types import CellType, FunctionType
from typing import Any

import pytest
from graphql import GraphQLError, Node, OperationType, SelectionSetNode

from community.errors import InvalidId, NotFound
from community.live import Journal, State
from community.votes.facts import TALLY
from realtime import documents
from realtime.audience import Audience
from realtime.broker import MemoryBroker
from realtime.documents import Document, Documents
from realtime.fields import SubscribeRequest
from realtime.recent import Recent
from realtime.sources import LiveSources
from schema.executable import ExecutableSchema
from schema.nodes import to_id

EXECUTABLE = ExecutableSchema(lambda: datetime(2026, 5, 1, tzinfo=UTC), LiveSources(MemoryBroker()))
VOTE, COMMUNITY, EVENT = to_id("Vote", 5), to_id("Community", 6), to_id("Event", 7)

PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version } }"
BULLETIN = "subscription($id: ID!, $after: String) { bulletin(communityId: $id, after: $after) { cursor } }"


def request(text: str, name: str | None = None, **variables: Any) -> SubscribeRequest:
    return SubscribeRequest(text, variables, name)


def document(text: str, name: str | None = None) -> Document:
    return Documents(EXECUTABLE).read(request(text, name))


def form(text: str) -> tuple[object, ...]:
    found = document(text)
    return found.text, found.audience, found.live, found.cursor, found.reads_after


def test_a_state_says_the_same_to_everybody() -> None:
    found = document(PROGRESS)
    assert (found.audience, set(found.names)) == (Audience.EVERYBODY, {"id"})
    assert (found.is_journal, found.cursor, found.live.declaration) == (False, None, TALLY)
    assert isinstance(found.live.declaration, State)


def test_a_journal_is_known_by_its_declaration() -> None:
    found = document(BULLETIN)
    assert (found.is_journal, set(found.names)) == (True, {"id", "after"})
    assert found.cursor == found.names["after"]
    assert isinstance(found.live.declaration, Journal)
    without = document('subscription { bulletin(communityId: "x") { cursor } }')
    assert (without.is_journal, without.cursor, without.reads_after) == (True, None, False)
    renamed = document(BULLETIN.replace("$after", "$behind"))
    assert renamed.cursor == renamed.names["behind"]


@pytest.mark.parametrize(
    "laid_out",
    [
        "subscription ( $id:ID! )\n{\n  voteProgress ( voteId : $id ) { version , }\n}",
        f"# what a client is called\n{PROGRESS}",
        f"\ufeff{PROGRESS}\n\n",
    ],
)
def test_how_it_is_laid_out_is_nothing(laid_out: str) -> None:
    assert form(laid_out) == form(PROGRESS)


@pytest.mark.parametrize(
    "other",
    [
        PROGRESS.replace("version", "voteId"),
        PROGRESS.replace("version", "version version"),
        PROGRESS.replace("version", "newest: version"),
        PROGRESS.replace("version", "newest: version version"),
        PROGRESS.replace("version", "... { version }"),
        PROGRESS.replace("version", "version @include(if: true)"),
        PROGRESS.replace("$id: ID!", "$id: ID!, $if: Boolean = true").replace(
            "version", "version @skip(if: $if)"
        ),
        PROGRESS.replace("$id: ID!", '$id: ID! = "x"'),
        PROGRESS.replace("voteId: $id", 'voteId: "x"').replace("($id: ID!)", ""),
    ],
)
def test_what_is_asked_otherwise_is_another_document(other: str) -> None:
    assert document(other).text != document(PROGRESS).text


WHOLE = """
subscription ($id: ID!, $area: Boolean = false, $no: Boolean! = true) { voteProgress(voteId: $id) {
  version: version ...F ...G @skip(if: $no) } }
fragment F on VoteProgress { voteId eligible { ...W } }
fragment G on VoteProgress { participating { ...W area @include(if: $area) } }
fragment W on Weight { heads }
"""


def renamed(text: str, names: str) -> str:
    """Variables begin small, fragments with a capital letter."""
    new = dict(name.split(">") for name in names.split())
    return re.sub(r"(\$|\.\.\.|fragment )(\w+)", lambda found: found[1] + new.get(found[2], found[2]), text)


@pytest.mark.parametrize(
    "other",
    [
        WHOLE.replace("subscription", "subscription Mine"),
        renamed(WHOLE, "id>vote area>a no>b"),
        renamed(WHOLE, "id>area area>no no>id"),
        renamed(WHOLE, "F>G G>F"),
        renamed(WHOLE, "F>Zz G>Aa W>F0"),
        renamed(WHOLE, "id>v2 area>v0 no>v1 F>F1 G>F0"),
        WHOLE.replace("$id: ID!, $area: Boolean = false", "$area: Boolean = false, $id: ID!"),
        WHOLE.replace("version: version", "version"),
        "fragment W on Weight { heads }" + WHOLE.replace("fragment W on Weight { heads }", ""),
        WHOLE
        + 'subscription B { voteProgress(voteId: "x") { ...W2 } } fragment W2 on VoteProgress { version }',
    ],
)
def test_what_it_is_called_is_nothing(other: str) -> None:
    name = "Mine" if "Mine" in other else None
    if "subscription B" in other:
        other, name = other.replace("subscription", "subscription A", 1), "A"
    assert document(other, name).text == document(WHOLE).text


def test_what_is_given_goes_along_with_its_name() -> None:
    found = document(renamed(WHOLE, "id>area area>no no>id"))
    given = {"area": "x", "no": True, "id": False, "other": 5}
    same = document(WHOLE).renamed({"id": "x", "area": True, "no": False})
    assert found.renamed(given) == same == {"v0": "x", "v1": False, "v2": True}
    assert set(found.names) == {"area", "no", "id"}


@pytest.mark.parametrize("given", [{}, {"area": VOTE, "id": 5}, {"area": {}, "id": False}, {"area": None}])
def test_variables_that_it_does_not_declare_so_are_refused_by_their_own_names(given: dict[str, Any]) -> None:
    found = document(renamed(WHOLE, "id>area area>no no>id"))
    assert found.bind({"area": VOTE, "no": True, "id": False}) == (5, None)
    with pytest.raises(GraphQLError, match=r"\$(area|id)"):
        found.bind(given)


@pytest.mark.parametrize("text", [WHOLE, PROGRESS, BULLETIN, BULLETIN.replace("$after", "$v0")])
def test_the_form_of_a_form_is_itself(text: str) -> None:
    """Who was in a group asks for it again by its own text."""
    form = document(text)
    again = document(form.text)
    assert again.text == form.text
    assert all(name == other for name, other in again.names.items())


@pytest.mark.parametrize(
    ("text", "key", "after"),
    [
        (f'subscription {{ mine: eventAttendance(eventId: "{EVENT}") {{ signedUp }} }}', 7, None),
        (f'subscription($a: ID! = "{EVENT}") {{ eventAttendance(eventId: $a) {{ signedUp }} }}', 7, None),
        (BULLETIN, 6, "y"),
        (BULLETIN.replace("communityId: $id, after: $after", "after: $after, communityId: $id"), 6, "y"),
        (BULLETIN.replace("$after)", '"z")').replace(", $after: String", ""), 6, "z"),
        (BULLETIN.replace("$after: String", '$after: String = "d"'), 6, "y"),
        (BULLETIN.replace("bulletin", "...F } fragment F on Subscription { bulletin"), 6, "y"),
        (
            BULLETIN.replace("bulletin", "... { ... on Subscription { bulletin").replace("} }", "} } } }"),
            6,
            "y",
        ),
    ],
)
def test_what_it_is_about_is_read_from_it(text: str, key: int, after: str | None) -> None:
    assert document(text).bind({"id": COMMUNITY, "after": "y"}) == (key, after)


@pytest.mark.parametrize("id_", ["x", "", 5, VOTE[:-1]])
def test_an_id_that_is_none_is_refused(id_: object) -> None:
    with pytest.raises(InvalidId):
        document(PROGRESS).bind({"id": id_})


def test_an_id_of_another_type_names_nothing() -> None:
    with pytest.raises(NotFound):
        document(PROGRESS).bind({"id": COMMUNITY})


SEVERAL = """
subscription A($id: ID!) { voteProgress(voteId: $id) { ...F } }
subscription B($id: ID!) { voteProgress(voteId: $id) { version ...G } }
query C { viewer { account } }
fragment F on VoteProgress { version }
fragment G on VoteProgress { voteId }
"""


def test_of_several_operations_the_named_one_is_read_with_its_fragments() -> None:
    found = document(SEVERAL, "A")
    assert found.text.count("fragment") == found.text.count("version") == 1
    assert not [other for other in ("viewer", "query", "\n  voteId\n") if other in found.text]
    assert "voteId" in document(SEVERAL, "B").text
    assert document(SEVERAL, "B").text != found.text
    assert document(PROGRESS, "").text == document(PROGRESS).text


@pytest.mark.parametrize(("text", "name"), [(PROGRESS, "A"), (SEVERAL, "D")])
def test_an_operation_that_is_not_there_is_refused(text: str, name: str) -> None:
    with pytest.raises(GraphQLError, match=f"Unknown operation named '{name}'"):
        document(text, name)


@pytest.mark.parametrize(
    "text",
    [
        BULLETIN.replace("cursor }", "subject { ... on Vote { viewerEntries { party } } } }"),
        BULLETIN.replace("cursor }", "subject { ...F } }") + "fragment F on Event { viewerSignUp { id } }",
    ],
)
def test_what_depends_on_the_viewer_says_so(text: str) -> None:
    assert document(text).audience is Audience.VIEWER


def test_what_depends_on_rights_says_so() -> None:
    assert document(BULLETIN.replace("cursor }", "subject { id } }")).audience is Audience.RIGHTS


@pytest.mark.parametrize(
    "text",
    [
        f'subscription {{ bulletin(communityId: "{COMMUNITY}", after: "y") {{ cursor }} }}',
        "subscription($id: ID!, $after: String = null) {"
        " bulletin(communityId: $id, after: $after) { cursor } }",
        "subscription($id: ID!, $after: String!) { bulletin(communityId: $id, after: $after) { cursor } }",
        "subscription($id: ID!, $after: String) { bulletin(communityId: $id, after: $after) {"
        " subject { ... on Community { votes(after: $after) { edges { cursor } } } } } }",
        "subscription($id: ID!, $after: String) {"
        " bulletin(communityId: $id, after: $after) { cursor }"
        " bulletin(communityId: $id, after: $after) { at } }",
    ],
)
def test_a_cursor_without_which_it_says_something_else_stays_part_of_it(text: str) -> None:
    """Readers with another cursor are another group."""
    found = document(text)
    assert (found.cursor, found.reads_after) == (None, True)
    assert found.bind({"id": COMMUNITY, "after": "y"})[1] == "y"


def test_a_document_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Documents(EXECUTABLE)
    assert not kept.at_hand(request(PROGRESS))
    first = kept.read(request(PROGRESS))
    assert kept.at_hand(request(PROGRESS))
    monkeypatch.setattr(documents, "_read", None)
    assert kept.read(request(PROGRESS, id="other")) is first
    assert not kept.at_hand(request(PROGRESS, "other"))


def test_a_type_is_known_where_nothing_has_to_be_parsed() -> None:
    kept = Documents(EXECUTABLE)
    several = f"query A {{ viewer {{ account }} }} {PROGRESS.replace('(', ' B(', 1)}"

    def known() -> list[OperationType | None]:
        return [kept.known_type(request(several, name)) for name in "ABC"]

    assert known() == [None] * 3
    assert EXECUTABLE.operation_type(request(several, "A")) is OperationType.QUERY
    assert known() == [OperationType.QUERY, None, None]
    kept.read(request(several, "B"))
    assert known() == [OperationType.QUERY, OperationType.SUBSCRIPTION, None]


def test_what_is_kept_is_bounded_by_number_and_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "KEPT_DOCUMENTS", 20)
    monkeypatch.setattr(documents, "MOST_KEPT", 600_000)
    kept = Documents(EXECUTABLE)
    for number in range(40):
        kept.read(request(PROGRESS))
        kept.read(request(f"#{number}\n{PROGRESS}"))
    assert len(kept.recent) == 20
    assert kept.at_hand(request(PROGRESS))
    assert not kept.at_hand(request(f"#20\n{PROGRESS}"))
    for number in range(40):
        kept.read(request(f"# {number} {'x' * 20_000}\n{PROGRESS}"))
        held = sum(4 * len(text) for text, _ in kept.recent._kept)
        assert 400_000 < held < kept.recent.size <= 600_000 or number < 10
    assert len(kept.recent) == 6


@pytest.mark.parametrize(
    "more",
    [
        "",
        " ".join(f"a{number}: version" for number in range(30)),
        "version " * 70,
        "... {" * 30 + "version" + "}" * 30,
        "version @include(if: true) " * 60,
    ],
)
def test_what_is_kept_takes_up_no_more_than_is_said(more: str) -> None:
    """Also beyond the parsed documents, which the schema keeps."""
    text = PROGRESS.replace("version }", f"version {more} }}")
    texts = [f"{text}#{number}" for number in range(8)]
    kept = Documents(EXECUTABLE)
    kept.read(request(text))
    another = Documents(EXECUTABLE)
    for each in texts:
        another.read(request(each))  # what is made once in a process is there
    before = kept.recent.size
    gc.collect()
    tracemalloc.start()
    try:
        for each in texts:
            kept.read(request(each))
        gc.collect()
        takes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert takes < (kept.recent.size - before) / 2
    kept.read(request(text))._arguments({"id": VOTE})  # also where it has been bound
    seen, held = set[int](), list[object]([kept.read(request(text))._arguments])
    while held:
        each = held.pop()
        if id(each) not in seen and isinstance(each, FunctionType | CellType | tuple | dict | Node):
            seen.add(id(each))
            assert not isinstance(each, SelectionSetNode)
            held += gc.get_referents(each) if not isinstance(each, FunctionType) else each.__closure__ or ()


def test_what_takes_the_place_of_another_is_weighed_once() -> None:
    recent = Recent[str, int](100)
    for value in range(5):
        recent.put("a", value, 30 + value)
        recent.put("b", value, 20)
        assert (recent.get("a"), recent.size, len(recent)) == (value, 50 + value, 2)
    recent.put("a", 9, 60)
    recent.put("c", 9, 30)
    assert "b" not in recent, "the one that was put longest ago"
    assert (recent.size, len(recent)) == (90, 2)
