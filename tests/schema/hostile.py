# ruff: noqa: E501
"""Documents that were made to keep a server busy: each of some kilobytes, each with a name."""

from collections.abc import Callable, Iterable


def fragments(count: int, body: Callable[[int], str], on: str = "Query") -> str:
    return " ".join(f"fragment F{number} on {on} {{{body(number)}}}" for number in range(count))


def spreads(numbers: Iterable[int]) -> str:
    return " ".join(f"...F{number}" for number in numbers)


def doubling(steps: int, on: str = "Query", leaf: str = "errorCodes", between: str = "") -> str:
    """Each fragment spreads the next one twice: 2^steps ways through it."""
    return (
        fragments(steps, lambda n: f"{between}{spreads([n + 1, n + 1])}", on)
        + f" fragment F{steps} on {on} {{{leaf}}}"
    )


def nested(depth: int, opening: str = "viewer{", inside: str = "account") -> str:
    return "{" + opening * depth + inside + "}" * depth * opening.count("{") + "}"


EVERYBODY = range(29)

MUCH = (
    " fragment R on Query{"
    + " ".join(f"c{n}:communities(first:1){{edges{{node{{...V}}}}}}" for n in range(20))
    + "}"
    " fragment V on Community{id slug name address households votes{edges{node{id title form status opensAt community{"
    "id slug name address households events{edges{node{id title place startsAt endsAt}}}}}}}}"
)
"""Some 600 fields in few words."""

HOSTILE: dict[str, str] = {
    # fragments
    **{f"doubling {steps}": "{...F0}" + doubling(steps) for steps in (12, 17, 30, 60, 99)},
    "doubling 200": "{...F0}" + doubling(200),
    "doubling with fields between": "{...F0}" + doubling(40, between="errorCodes "),
    "doubling in a subscription": "subscription{...F0}" + doubling(30, "Subscription", "__typename"),
    "doubling in a mutation": "mutation{...F0}" + doubling(30, "Mutation", "__typename"),
    "doubling that nobody spreads": "{errorCodes}" + doubling(60),
    "doubling below a field": "{communities{edges{node{...F0}}}}" + doubling(40, "Community", "slug"),
    "tripling": "{...F0}" + fragments(40, lambda n: spreads([n + 1] * 3)) + "fragment F40 on Query{errorCodes}",
    "doubling inside inline fragments": "{...F0}"
    + fragments(30, lambda n: f"...{{{spreads([n + 1])}}} ...{{{spreads([n + 1])}}}")
    + "fragment F30 on Query{errorCodes}",
    "doubling by two aliases": "{...F0}"
    + fragments(30, lambda n: f"a:viewer{{...V{n}}} b:viewer{{...V{n}}}")
    + " ".join(f"fragment V{n} on Viewer{{account}}" for n in range(30)),
    "growing by nesting": "{viewer{communities{...F0}}}"
    + fragments(10, lambda n: f"votes{{edges{{node{{a:community{{...F{n + 1}}} b:community{{...F{n + 1}}}}}}}}}",
                "Community")
    + "fragment F10 on Community{slug}",
    "everybody spreads everybody": "{...F0}"
    + fragments(29, lambda n: spreads(other for other in EVERYBODY if other != n)),
    "everybody spreads all that follow": "{...F0}"
    + fragments(40, lambda n: "errorCodes " + spreads(range(n + 1, 40))),
    "one spreads itself": "{...F0} fragment F0 on Query{...F0}",
    "a ring of a hundred": "{...F0}" + fragments(100, lambda n: spreads([(n + 1) % 100])),
    "a chain of fragments": "{...F0}" + fragments(200, lambda n: spreads([n + 1])),
    "a deep chain of nested fragments": "{...F0}" + fragments(99, lambda n: f"...{{...{{{spreads([n + 1])}}}}}"),
    "many spreads of one": "{" + "...F0 " * 900 + "} fragment F0 on Query{errorCodes}",
    "many spreads in many": "{" + spreads(range(60)) + "}"
    + fragments(60, lambda n: "...G " * 10) + "fragment G on Query{errorCodes}",
    "many fragments, many fields": "{" + spreads(range(60)) + "}" + fragments(60, lambda n: "errorCodes " * 20),
    "fragments without end": "{errorCodes}" + fragments(300, lambda n: "a"),
    "fragments of one name": "{...F}" + "fragment F on Query{errorCodes ...F}" * 150,
    "spreads of what is not there": "{" + spreads(range(900)) + "}",
    # one response name
    "one field, often": "{" + "errorCodes " * 1900 + "}",
    "one alias, often": "{" + "a:errorCodes " * 600 + "}",
    "one field with a selection, often": "{" + "viewer{account}" * 480 + "}",
    "often within often": "{" + ("viewer{" + "account " * 30 + "}") * 30 + "}",
    "often within often within often": "{" + ("viewer{" + ("communities{" + "id " * 8 + "}") * 9 + "}") * 9 + "}",
    "often through fragments": "{" + spreads(range(30)) + "}" + fragments(30, lambda n: "viewer{account account}" * 4),
    "often with other arguments": "{" + " ".join(f'vote(id:"{n}"){{id}}' for n in range(240)) + "}",
    "often under types": "{node(id:\"x\"){" + "...on Vote{title}...on Event{title}" * 120 + "}}",
    "often where nobody goes": "{errorCodes} fragment F on Query{" + "errorCodes " * 900 + "}",
    "often without an operation": "fragment F on Query{" + "errorCodes " * 900 + "}",
    "often below where nobody goes": "{errorCodes} fragment F on Query{" + ("viewer{" + "account " * 30 + "}") * 20 + "}",
    "often in the first of one name": "{...F} fragment F on Query{" + "errorCodes " * 900 + "} fragment F on Query{errorCodes}",
    "often in each of many": " ".join(f"query A{n}{{{'errorCodes ' * 77}}}" for n in range(20)),
    "often from where nobody goes": "{errorCodes}" + fragments(9, lambda n: "...L") + "fragment L on Query{" + "viewer{account}" * 75 + "}",
    # many operations, each of which leads to much
    "much in each of many": " ".join(f"query A{n}{{...R}}" for n in range(20)) + MUCH,
    "much from where nobody goes": "{errorCodes}" + fragments(90, lambda n: "...R") + MUCH,
    "much in each of many, given": " ".join(f"query A{n}($n:Int){{...R}}" for n in range(20)) + MUCH.replace("first:1", "first:$n"),
    # aliases
    "aliases": "{" + " ".join(f"a{n}:viewer{{account}}" for n in range(300)) + "}",
    "aliases of the same": "{" + " ".join(f"a{n}:errorCodes" for n in range(660)) + "}",
    "aliases of the introspection": "{" + " ".join(f"a{n}:__schema{{types{{name}}}}" for n in range(31)) + "}",
    "aliases below a list": "{communities{edges{node{" + " ".join(f"a{n}:slug" for n in range(600)) + "}}}}",
    "aliases through fragments": "{...F0}" + doubling(6, leaf=" ".join(f"a{n}:errorCodes" for n in range(20))),
    "a long alias": "{communities{edges{node{ledger{entries(first:100){edges{" + "x" * 29_000 + ":__typename}}}}}}}",
    "a long alias of a fragment": "{communities{edges{node{...F}}}} fragment F on Community{" + "x" * 9_000 + ":buildings{id}}",
    "a long alias at the top": "{" + "x" * 200 + ":errorCodes}",
    "a long alias of what is watched": 'subscription{voteProgress(voteId:"x"){' + "x" * 29_000 + ":version}}",
    "a long alias of the introspection": "{__schema{types{fields{" + "x" * 20_000 + ":name}}}}",
    # depth
    "deep": nested(600),
    "a little too deep": nested(16, "viewer{"),
    "deep through fragments": "{...F0}" + fragments(40, lambda n: f"viewer{{communities{{edges{{...F{n + 1}}}}}}}"),
    "round and round": "{communities{edges{node" + "{votes{edges{node{community" * 5 + "{id}" + "}}}}" * 5 + "}}}",
    "inline within inline": "{" + "...{" * 300 + "errorCodes" + "}" * 300 + "}",
    "inline with types within inline": "{" + "...on Query{" * 200 + "errorCodes" + "}" * 200 + "}",
    "types of types of types": "{__schema{types{fields{type{fields{type{fields{type{fields{name}}}}}}}}}}",
    "kinds of kinds": "{__type(name:\"Vote\"){" + "ofType{" * 30 + "name" + "}" * 30 + "}}",
    "possible types of interfaces": '{__type(name:"Node"){possibleTypes{interfaces{possibleTypes{interfaces{name}}}}}}',
    "lists within lists": "{communities(first:" + "[" * 900 + "1" + "]" * 900 + "){edges{cursor}}}",
    "objects within objects": "{community(slug:" + "{a:" * 400 + "1" + "}" * 400 + "){id}}",
    "a type within types": "query($a:" + "[" * 900 + "Int" + "]" * 900 + "){errorCodes}",
    # length
    "a comment": "#" + "x" * 250_000 + "\n{viewer{account}}",
    "comments": "#\n" * 16_000 + "{viewer{account}}",
    "blanks": "{" + " " * 250_000 + "viewer{account}}",
    "commas": "{" + "," * 40_000 + "viewer{account}}",
    "a name": "{" + "a" * 250_000 + "}",
    "three bytes a sign": '{community(slug:"' + "美" * 12_000 + '"){id}}',
    "a string": '{community(slug:"' + "a" * 250_000 + '"){id}}',
    "a block string": '{community(slug:"""' + "\n" * 250_000 + '"""){id}}',
    "a string without an end": '{community(slug:"' + "a" * 30_000,
    "a block string without an end": '{community(slug:"""' + '\\"""' * 8_000,
    "escapes": '{community(slug:"' + "\\u0041" * 5_400 + '"){id}}x',
    "brackets": "{" * 30_000,
    "closing brackets": "{viewer{account" + "}" * 30_000,
    "numbers": "{communities(first:" + "9" * 30_000 + "){edges{cursor}}}",
    "a number of 5,000 digits": "{communities(first:" + "9" * 5_000 + "){edges{cursor}}}",
    "a float of 5,000 digits": "{communities(first:1." + "9" * 5_000 + "){edges{cursor}}}",
    "an exponent": "{communities(first:1e" + "9" * 5_000 + "){edges{cursor}}}",
    "tokens": "{" + "a " * 15_000 + "}",
    # what validation looks through
    "operations": " ".join(f"query A{n}($a:Int){{...F0}}" for n in range(60))
    + fragments(1, lambda _: "communities(first:$a){__typename}" * 60),
    "operations without a name": "{errorCodes}" * 400,
    "variables": "query(" + " ".join(f"$a{n}:Int" for n in range(480)) + "){errorCodes}",
    "variables of unknown types": "query(" + " ".join(f"$a{n}:Comunity{n}" for n in range(90)) + "){errorCodes}",
    "unknown fields": "{" + " ".join(f"communites{n}" for n in range(900)) + "}",
    "unknown types": "{" + " ".join(f"...on Comunity{n}{{id}}" for n in range(60)) + "}",
    "unknown arguments": "{communities(" + " ".join(f"frist{n}:1" for n in range(480)) + "){edges{cursor}}}",
    "unknown directives": "{errorCodes " + " ".join(f"@skp{n}" for n in range(900)) + "}",
    "directives": "{errorCodes " + "@skip(if:true) " * 320 + "}",
    "arguments of one name": "{communities(" + "first:1 " * 480 + "){edges{cursor}}}",
    "definitions of types": " ".join(f"type T{n}{{a:Int}}" for n in range(200)),
}  # fmt: skip
"""Every one of them is refused, and the refusal costs little."""
