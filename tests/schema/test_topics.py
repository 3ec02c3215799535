"""What a topic says in the schema is in the schema."""

from inspect import isclass
from types import ModuleType

import pytest

from community.catalogue import modules
from schema import communities, writing
from schema.schema import PRICES, graphql_schema
from schema.topics import TOPICS, part_of, parts

WHOLES = ("Query", "Mutation", "Subscription", "OfCommunity")


def test_each_topic_of_the_community_has_its_line() -> None:
    named = {topic.__name__.removeprefix("schema.") for topic in TOPICS}
    declared = {name.split(".")[1] for name in modules("facts")}
    assert declared - named == set(), "each wants schema/<topic>.py and its line in schema/topics.py"
    assert named - declared == set(), "no topic of community/"
    assert len(named) == len(TOPICS)


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
