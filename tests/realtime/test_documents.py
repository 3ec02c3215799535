import re

import pytest
from realtime.audience import Audience
from realtime.documents import Document, at_hand, read

from schema import documents

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
    assert (found.takes(same), found.takes({}), found.takes({"v0": "x", "v2": 5})) == (True, False, False)
    assert found.variables == {"area", "no", "id"}
    assert found.subject(same) == ("voteProgress", "x")


@pytest.mark.parametrize("text", [WHOLE, PROGRESS, BULLETIN, BULLETIN.replace("$after", "$v0")])
def test_the_form_of_a_form_is_itself(text: str) -> None:
    """Who was in a group asks for it again by its own text."""
    form = document(text)
    again = document(form.text)
    assert again.text == form.text
    assert all(name == other for name, other in again.names.items())


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ('subscription { mine: eventAttendance(eventId: "x") { signedUp } }', ("eventAttendance", "x")),
        ("subscription { eventAttendance(eventId: 5) { signedUp } }", ("eventAttendance", "5")),
        (
            'subscription($a: ID! = "x") { eventAttendance(eventId: $a) { signedUp } }',
            ("eventAttendance", "Undefined"),
        ),
        (
            BULLETIN.replace("communityId: $id, after: $after", "after: $after, communityId: $id"),
            ("bulletin", "x"),
        ),
    ],
)
def test_what_it_is_about_is_read_from_it(text: str, subject: tuple[str, str]) -> None:
    found = document(text)
    assert found.subject(found.renamed({"id": "x"})) == subject


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


def test_a_document_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    documents.kept.clear()
    assert not at_hand(PROGRESS, None)
    first = document(PROGRESS)
    assert at_hand(PROGRESS, None)
    monkeypatch.setattr(documents, "_read", lambda text, name: None)
    assert document(PROGRESS) is first
    assert read(PROGRESS, "other") is None


def test_what_is_kept_is_bounded_by_number_and_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "KEPT_DOCUMENTS", 20)
    monkeypatch.setattr(documents, "MOST_KEPT", 10_000)
    documents.kept.clear()
    for number in range(40):
        read(PROGRESS, None)
        read(f"{{ a{number} }}", None)
    assert (len(documents.kept._by_text), at_hand(PROGRESS, None), at_hand("{ a20 }", None)) == (
        20,
        True,
        False,
    )
    for number in range(40):
        read(f"# {number} {'x' * 1_000}", "x" * 500 * (number % 2) or None)
        held = sum(len(text) + len(name or "") for text, name in documents.kept._by_text)
        assert 8_000 < held == documents.kept._bytes <= 10_000 or number < 10
    documents.kept.clear()
