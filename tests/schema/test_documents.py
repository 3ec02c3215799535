import pytest

from schema.audience import Audience
from schema.documents import Document, read

PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version } }"
BULLETIN = "subscription($id: ID!, $after: String) { bulletin(communityId: $id, after: $after) { cursor } }"


def document(text: str, name: str | None = None) -> Document:
    found = read(text, name)
    assert found
    return found


def test_a_state_says_the_same_to_everybody() -> None:
    found = document(PROGRESS)
    assert (found.audience, found.variables) == (Audience.EVERYBODY, {"id"})
    assert (found.journal, found.cursor) == (False, None)


def test_a_journal_is_known_by_its_cursor() -> None:
    found = document(BULLETIN)
    assert (found.journal, found.cursor, found.variables) == (True, "after", {"id", "after"})
    without = document('subscription { bulletin(communityId: "x") { cursor } }')
    assert (without.journal, without.cursor) == (True, None)
    renamed = document(BULLETIN.replace("$after", "$behind"))
    assert renamed.cursor == "behind"


@pytest.mark.parametrize(
    "laid_out",
    [
        "subscription ( $id:ID! )\n{\n  voteProgress ( voteId : $id ) { version , }\n}",
        f"# what a client is called\n{PROGRESS}",
        f"\ufeff{PROGRESS}\n\n",
    ],
)
def test_how_it_is_laid_out_is_nothing(laid_out: str) -> None:
    assert document(laid_out) == document(PROGRESS)


@pytest.mark.parametrize(
    "other",
    [
        PROGRESS.replace("version", "voteId"),
        PROGRESS.replace("version", "version version"),
        PROGRESS.replace("version", "newest: version"),
        PROGRESS.replace("subscription", "subscription A"),
        PROGRESS.replace("$id", "$vote"),
    ],
)
def test_what_is_asked_otherwise_is_another_document(other: str) -> None:
    assert document(other).text != document(PROGRESS).text


SEVERAL = """
subscription A($id: ID!) { voteProgress(voteId: $id) { ...F } }
subscription B($id: ID!) { voteProgress(voteId: $id) { version ...G } }
query C { viewer { account } }
fragment F on VoteProgress { version }
fragment G on VoteProgress { voteId }
"""


def test_of_several_operations_the_named_one_is_read_with_its_fragments() -> None:
    found = document(SEVERAL, "A")
    assert "fragment F" in found.text
    assert not [other for other in ("subscription B", "query C", "fragment G") if other in found.text]
    assert document(SEVERAL, "B").text != found.text
    assert document(PROGRESS, "") == document(PROGRESS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", None),
        ("subscription {", None),
        ("{ viewer { account } }", None),
        ("mutation { cancelSignUp(signUpId: \"x\") { id } }", None),
        ("fragment F on VoteProgress { version }", None),
        (PROGRESS.replace("version", "nothing"), None),
        (PROGRESS.replace("$id: ID!", "$id: Int!"), None),
        (PROGRESS, "A"),
        (SEVERAL, None),
        (SEVERAL, ""),
        (SEVERAL, "C"),
        (SEVERAL, "D"),
        ("subscription { __typename }", None),
        (PROGRESS.replace("version }", "version } more: voteProgress(voteId: $id) { version }"), None),
        (PROGRESS.replace("version", " ".join(f"a{n}: version" for n in range(40))), None),
        (PROGRESS.replace("version", "version " * 2_000), None),
    ],
)  # fmt: skip
def test_what_is_refused_is_left_to_those_who_say_why(text: str, name: str | None) -> None:
    assert read(text, name) is None


@pytest.mark.parametrize(
    "text",
    [
        BULLETIN.replace("cursor }", "subject { ... on Vote { viewerEntries { party } } } }"),
        BULLETIN.replace("cursor }", "subject { ...F } }") + "fragment F on Event { viewerSignUp { id } }",
    ],
)
def test_what_depends_on_the_viewer_is_run_for_each_alone(text: str) -> None:
    assert read(text, None) is None


def test_what_depends_on_rights_says_so() -> None:
    assert document(BULLETIN.replace("cursor }", "subject { id } }")).audience is Audience.RIGHTS


@pytest.mark.parametrize(
    "text",
    [
        # Where readers begin could not be told apart from what they see.
        'subscription { bulletin(communityId: "x", after: "y") { cursor } }',
        "subscription($id: ID!, $after: String = null) {"
        " bulletin(communityId: $id, after: $after) { cursor } }",
        "subscription($id: ID!, $after: String!) { bulletin(communityId: $id, after: $after) { cursor } }",
        "subscription($id: ID!, $after: String) { bulletin(communityId: $id, after: $after) {"
        " subject { ... on Community { votes(after: $after) { edges { cursor } } } } } }",
        "subscription($id: ID!, $after: String) {"
        " bulletin(communityId: $id, after: $after) { cursor }"
        " bulletin(communityId: $id, after: $after) { at } }",
        # What comes first is not the field itself.
        "subscription($id: ID!) { ...F }"
        " fragment F on Subscription { voteProgress(voteId: $id) { version } }",
        "subscription($id: ID!) { ... { voteProgress(voteId: $id) { version } } }",
    ],
)
def test_what_could_not_begin_apart_is_run_for_each_alone(text: str) -> None:
    assert read(text, None) is None


def test_a_document_is_read_once() -> None:
    read.cache_clear()
    assert document(PROGRESS) is document(PROGRESS)
    assert read.cache_info().misses == 1
