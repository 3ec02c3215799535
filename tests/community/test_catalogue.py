"""What there is and what happens to it is declared once, and is true of the rows."""

import ast
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import community
from community.catalogue import Fact, Subject, Topic, catalogue, gathered, modules, timeless
from community.database.sql import select
from community.errors import ErrorCode, NotFound
from community.live import Watchable
from community.permissions import CITY, NOBODY, READING, Permission, Viewer, may
from community.signals import Signal
from schema.nodes import NODES
from schema.schema import sdl
from tests.community.database.test_constraints import furnish
from tests.examples import topic_of

ROOT = Path(community.__file__).parents[1]
SOURCES = [
    path for room in ("community", "realtime", "schema", "api") for path in (ROOT / room).rglob("*.py")
]
KNOWN = catalogue()

LATELY = {"TALLY_CHANGED", "ATTENDANCE_CHANGED"}
"""Only the rows of older versions say no more than this."""


def test_each_topic_is_asked() -> None:
    topics = {path.parent.name for path in (ROOT / "community").glob("*/models.py")} - {"database"}
    assert modules("facts") == [f"community.{topic}.facts" for topic in sorted(topics)]
    assert KNOWN.subjects.keys() >= {
        "Account", "Ballot", "Building", "Community", "Entry", "Event", "Notice", "Organization",
        "OwnerParty", "Question", "SignUp", "Vote",
    }, "ids of this kind were given, so it stays for ever"  # fmt: skip


def test_two_of_one_name_are_refused_and_one_that_is_imported_is_the_same() -> None:
    one, other = Subject[None](kind="Hat"), Subject[None](kind="Hat")
    assert gathered([one, one]).subjects == {"Hat": one}
    with pytest.raises(ValueError, match="Hat is declared twice"):
        gathered([one, other])


def test_a_topic_of_its_own_subjects_hears_the_id_and_one_of_communities_where_it_was() -> None:
    vote, estate = Subject[None](kind="Vote"), Subject[None](kind="Community")
    touched = (Topic(topic="tally", subject=vote), Topic(topic="bulletin", subject=estate))
    fact = Fact(name="OPENED", subject=vote, touches=touched, meaning="")
    assert fact.signals(7, 3) == [Signal("tally", 7), Signal("bulletin", 3)]
    assert fact.signals(7, None) == [Signal("tally", 7)]
    assert gathered([fact]).touching("bulletin") == [fact]
    assert gathered([fact]).touching("rights") == []


@pytest.mark.parametrize("fact", KNOWN.facts.values(), ids=KNOWN.facts.keys())
def test_a_fact_is_called_as_its_name_and_says_what_it_means(fact: Fact) -> None:
    (module,) = [name for name in modules("facts") if f'name="{fact.name}"' in _text(name)]
    assert f"\n{fact.name} = Fact(" in _text(module)
    assert re.fullmatch(r"[A-Z][^一-鿿]+\. .*[一-鿿].*。", fact.meaning)
    assert KNOWN.subjects[fact.subject.kind] is fact.subject
    for topic in fact.touches:
        assert KNOWN.topics[topic.topic] is topic
        assert topic.subject in (fact.subject, KNOWN.subjects["Community"]), "else it never hears of it"


def _text(module: str) -> str:
    return (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")


def test_each_fact_is_recorded_by_an_action_and_actions_record_nothing_else() -> None:
    recorded = {
        ast.unparse(node.args[0])
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "work.record"
    }
    assert recorded == KNOWN.facts.keys() - LATELY


def test_nothing_declares_any_of_it_a_second_time() -> None:
    """No other file holds the name of a fact, and no other table is by kinds."""
    names = KNOWN.facts.keys() - set(ErrorCode)
    for path in SOURCES:
        if path.name == "facts.py" or "migrations" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        assert not names & {text for text in texts if isinstance(text, str)}, path
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict) and path.name != "addresses.py":  # addresses of pages
                keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
                assert not keys & KNOWN.subjects.keys(), path


def test_ids_are_of_the_kinds_of_the_catalogue_and_each_that_is_shown_has_its_type() -> None:
    shown = {kind for kind, subject in KNOWN.subjects.items() if subject.rows}
    assert NODES.keys() == shown, "`class …(Node, subject=…)` in schema/<topic>.py"
    assert all(NODES[kind].subject_of is KNOWN.subjects[kind] for kind in shown)
    assert len(re.findall(r"^type \w+ implements Node\b", sdl(), re.MULTILINE)) == len(shown)
    of_ids = {
        argument.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("to_id", "key_of", "WatchedId")
        for argument in node.args[:2]
        if isinstance(argument, ast.Constant)
    }
    assert {kind for kind in of_ids if re.fullmatch("[A-Z][A-Za-z]+", kind)} <= KNOWN.subjects.keys()


def test_the_items_of_the_bulletin_are_the_facts_that_touch_it() -> None:
    (block,) = re.findall(r"enum BulletinKind \{(.*?)\n\}", sdl(), re.DOTALL)
    values = re.findall(r"^  ([A-Z_]+)$", block, re.MULTILINE)
    assert values == [fact.name for fact in KNOWN.touching("bulletin")]


async def test_a_timeless_read_is_one_of_a_subject(now: datetime) -> None:
    async def read(viewer: Viewer, ids: Any) -> dict[int, Viewer]:
        return dict.fromkeys(ids, viewer)

    assert await timeless(read)(NOBODY, [1], now) == {1: NOBODY}


TABLES = {
    kind: re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower() for kind, one in KNOWN.subjects.items() if one.rows
} | {"Ledger": "community"}
"""By kind, the table of its ids. A ledger has that of its community."""


async def test_each_subject_is_found_where_it_is_and_hidden_from_whoever_may_not_see_it(
    lived_in: Any, now: datetime
) -> None:
    for kind, table in TABLES.items():
        subject = KNOWN.subjects[kind]
        assert subject.seen_by
        assert subject.rows
        (key,) = (await select(f'SELECT MIN(id) AS id FROM "{table}"'))[0].values()
        assert key, f"topic {topic_of(table)}: `furnish` in its examples gives no row of {table}"
        scope = await subject.scope_of(key)
        assert scope.id == lived_in.community, kind
        assert await subject.rows(NOBODY, [key], now) == {}
        assert not any(may(NOBODY, permission, scope) for permission in subject.seen_by)
        with pytest.raises(NotFound):
            await subject.scope_of(1)
    assert (await KNOWN.subjects["Account"].scope_of(5)).id is CITY
    assert KNOWN.subjects["Vote"].seen_by == (Permission.READ_BULLETIN,)


@pytest.fixture
async def lived_in(estate: Any, build: Any, now: datetime) -> Any:
    """An estate with a row of each subject."""
    await furnish(estate, build, now)
    return estate


# The board of a community

OF_PERSONS = {"REGISTER_CHANGED"}
"""Facts of a community that its board leaves out: by them owners and tenants come and go."""


def test_all_that_happens_in_a_community_is_on_its_board_but_what_is_of_persons() -> None:
    there = {fact.name for fact in KNOWN.touching("board")}
    assert there == {fact.name for fact in KNOWN.facts.values() if not fact.subject.of_city} - OF_PERSONS


@pytest.mark.parametrize("fact", KNOWN.touching("board"), ids=lambda fact: fact.name)
def test_what_is_on_the_board_is_nobodys_own_and_known_by_those_who_may_watch_it_elsewhere(
    fact: Fact,
) -> None:
    assert fact.subject.rows
    assert fact.known_by in fact.subject.seen_by
    assert set(fact.subject.seen_by) <= set(READING), "READ_OWN and the like are of one's own"
    elsewhere = {
        topic.permission for topic in fact.touches if isinstance(topic, Watchable) and topic.topic != "board"
    }
    assert not elsewhere or fact.known_by in elsewhere


def test_the_facts_of_the_board_are_its_enum() -> None:
    (block,) = re.findall(r"enum BoardFact \{(.*?)\n\}", sdl(), re.DOTALL)
    values = re.findall(r"^  ([A-Z_]+)$", block, re.MULTILINE)
    assert values == [fact.name for fact in KNOWN.touching("board")]
