"""What a topic says in the schema is in the schema."""

from inspect import isclass
from types import ModuleType

import pytest

from community.catalogue import modules
from schema import communities, writing
from schema.schema import PRICES, graphql_schema
from schema.topics import TOPICS, part_of, parts
from tests.examples import FOLDER, examples, lacking, of_all, topic_of

WHOLES = ("Query", "Mutation", "Subscription", "OfCommunity")


def test_each_topic_of_the_community_has_its_line() -> None:
    named = {topic.__name__.removeprefix("schema.") for topic in TOPICS}
    declared = {name.split(".")[1] for name in modules("facts")}
    assert declared - named == set(), "each wants schema/<topic>.py and its line in schema/topics.py"
    assert named - declared == set(), "no topic of community/"
    assert len(named) == len(TOPICS)


def test_each_topic_gives_its_examples_and_no_two_the_same() -> None:
    named = [topic.__name__.removeprefix("schema.") for topic in TOPICS]
    assert list(examples()) == named, "each wants its tests/topics/<topic>.py, with its EXAMPLES"
    assert {path.stem for path in FOLDER.iterdir() if path.suffix in (".py", ".md")} <= set(named)
    with pytest.raises(ValueError, match="is said by members, and by a topic before it"):
        of_all(lambda _: {"slug": "spring"})


def test_what_is_lacking_is_said_with_the_topic_that_lacks_it() -> None:
    assert lacking("reads", ["vote", "node(Event)", "Entry.balance", "sign_up.dish"], ["vote"]) == [
        "topic events gives no example of node(Event): `reads` in tests/topics/events.py",
        "topic ledger gives no example of Entry.balance: `reads` in tests/topics/ledger.py",
        "topic events gives no example of sign_up.dish: `reads` in tests/topics/events.py",
    ]
    assert [topic_of(name) for name in ("setPublicReading", "node", "Community.votes")] == [
        "places", "places", "votes"
    ]  # fmt: skip


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.__name__)
def test_a_part_is_called_so_that_it_is_found(topic: ModuleType) -> None:
    ours = [one for one in vars(topic).values() if isclass(one) and one.__module__ == topic.__name__]
    for whole in WHOLES:
        adds = {one.__name__ for one in ours if one.__name__.endswith(whole)} - {whole}
        assert adds <= {part_of(topic, whole)}, f"a part of {whole} is called after its module"


def test_what_a_topic_adds_stands_where_it_belongs() -> None:
    for whole in WHOLES:
        kind = graphql_schema.get_type_by_name("Community" if whole == "OfCommunity" else whole)
        assert kind
        assert set(parts(whole)) <= set(kind.origin.__mro__)  # type: ignore[arg-type, union-attr]
    assert {one.__name__ for one in parts("OfCommunity")} >= {"PlacesOfCommunity", "VotesOfCommunity"}


def test_no_field_is_priced_by_two() -> None:
    priced = [name for module in (communities, *TOPICS, writing) for name in module.PRICES]
    assert len(priced) == len(set(priced))
    assert set(priced) <= PRICES.keys()
