"""Each name of the schema says what it means, in English and in Chinese, and says more than the name does.

A description is one string: English sentences, then a Chinese one. It stands where the name stands.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_introspection_query,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)

from schema.cost import MOST_COST
from schema.schema import graphql_schema

CORE = graphql_schema.core


def of_fields(owner: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for name, field in fields.items():
        yield f"{owner}.{name}", field.description
        for argument, given in getattr(field, "args", {}).items():
            yield f"{owner}.{name}({argument}:)", given.description


def described() -> Iterator[tuple[str, str | None]]:
    """Every name of ours with its description."""
    for name, kind in CORE.type_map.items():
        if is_introspection_type(kind) or is_specified_scalar_type(kind):
            continue
        yield name, kind.description
        if isinstance(kind, GraphQLEnumType):
            yield from (
                (f"{name}.{value}", definition.description) for value, definition in kind.values.items()
            )
        if isinstance(kind, GraphQLInputObjectType | GraphQLObjectType | GraphQLInterfaceType):
            yield from of_fields(name, kind.fields)
    for directive in CORE.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description
            yield from of_fields(f"@{directive.name}", {directive.name: directive})


ALL = dict(described())

CHINESE = r"[\u4e00-\u9fff]"
ENGLISH = re.compile(r"(?:\b[a-z]+\b[ ,;]+){3}", re.IGNORECASE)
"""Three words on end: a Chinese sentence may hold names, and no English."""


def parts(text: str) -> tuple[str, str] | None:
    """The English and the Chinese of a description, in this order; None where one is missing."""
    for space in re.finditer(" ", text):
        en, zh = text[: space.start()], text[space.end() :]
        if (
            re.search(r"[.!?)]$", en)
            and len(re.findall(r"\b[A-Za-z]{2,}\b", en)) >= LEAST_WORDS
            and re.match(rf"{CHINESE}|\W*(?:\w+ )?{CHINESE}", zh)
            and not ENGLISH.search(zh)
            and len(re.findall(CHINESE, zh)) >= LEAST_SIGNS
            and zh.endswith("。")
        ):
            return en, zh
    return None


LEAST_WORDS, LEAST_SIGNS = 3, 4
"""Of an English and of a Chinese sentence: In yuan, exact; 选项代码."""

STOP = re.findall(
    r"\w+",
    "a an the this that these those it its of in on at to for by with from as and or nor but is are was were"
    " be been has have had do does which what who whom whose where when how whether one ones some any all"
    " each every there here than then so such if not no only",
)


def words(text: str) -> set[str]:
    """Without plurals and endings, so that `ends` says no more than `endsAt`."""
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text).replace("_", " ").lower()
    return {re.sub(r"(?:ing|ed|es|s)$", "", word) for word in re.findall(r"[a-z]+|\d+", split)}


def said_beyond(name: str, text: str) -> set[str]:
    """What the English says that the name does not say by itself."""
    return words(text) - words(name) - words(" ".join(STOP)) - {*STOP}


def fault(name: str, text: str | None) -> str | None:
    """What is wrong with a description."""
    if not text:
        return "none"
    both = parts(text)
    if both is None:
        return "not English sentences and then a Chinese one"
    if len(said_beyond(name, both[0])) < 2:
        return "no more than its name"
    return None


def test_every_name_is_looked_at() -> None:
    some = {
        "Vote",
        "Vote.tally",
        "Mutation.castBallot(key:)",
        "AnswerInput.text",
        "VoteStatus.OPEN",
        "Decimal",
    }
    assert some <= set(ALL)
    assert len(ALL) > 400


def test_each_description_says_more_than_the_name_in_english_and_in_chinese() -> None:
    wrong = {name: (found, text) for name, text in ALL.items() if (found := fault(name, text))}
    assert wrong == {}


SHARED = (
    r"\w+\.id",  # of every node
    r"\w+Connection(\.(edges|pageInfo))?",
    r"\w+Edge(\.(cursor|node))?",
    r"Subscription\.ledger\w+\(communityId:\)",
    r".*\((first|after|key|month|number):\)",
    r"(BulletinKind|BoardFact)\.[A-Z_]+",  # one fact, in one journal and in another
    r"(BulletinItem|BoardChange)\.(at|subject)",
    r"\w+Correction\.(since|correctedAt|reason)",
    r"\w+\.(corrections|correct\w+\((correction|reason):\))",
    r"(LedgerMonth|LedgerYear|CategoryTotal)\.(\w*[rR]eversed|\w*[rR]eversals)",
)
"""Of names that mean the same wherever they stand."""


def test_no_two_names_are_described_alike_unless_they_are_one() -> None:
    alike = defaultdict(list)
    for name, text in ALL.items():
        if not any(re.fullmatch(pattern, name) for pattern in SHARED):
            alike[text].append(name)
    assert [names for names in alike.values() if len(names) > 1] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("VoteProgress.voteId", ""),
        ("VoteProgress.voteId", "The vote."),
        ("VoteProgress.voteId", "The id of the vote it is. 这是表决的编号。"),
        ("Event.endsAt", "When the event ends, and at which. 活动结束的时间。"),
        ("Event.place", "The place that it has. 活动的地点。"),
        ("Event.place", "Where neighbours should go on that day."),
        ("Event.place", "邻居们应该去的地方。"),
        ("Event.place", "邻居们应该去的地方。 Where neighbours should go on that day."),
        ("Event.place", "Where neighbours (邻居) should go on that day."),
        ("Event.place", "Where neighbours should go on that day. 地点"),
        ("Event.place", "Where neighbours should go on that day 邻居们应该去的地方。"),
        ("Event.place", "Where neighbours should go. 在 the middle of the garden 里面的地方。"),
    ],
)
def test_the_rule_sees_what_says_too_little(name: str, text: str) -> None:
    assert fault(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Event.place", "The spot to go to, such as 中心花园. 活动地点，最多 120 字。"),
        ("Matter", "It alone fixes the thresholds (民法典 278). 决定门槛的事项，见 SPEND_INCOME 等。"),
    ],
)
def test_the_rule_takes_what_says_enough(name: str, text: str) -> None:
    assert fault(name, text) is None


async def test_telling_all_of_it_stays_cheap() -> None:
    """Descriptions make the answer long, not dear: no more than a page of ours costs."""
    query = get_introspection_query(input_value_deprecation=True)
    cost = graphql_schema.prepared.of(query).cost_of(None)
    assert cost
    assert cost.of({}) < MOST_COST / 3
    result = await graphql_schema.execute(query)
    assert not result.errors
    assert len(orjson.dumps(result.data)) < 256 * 1024
