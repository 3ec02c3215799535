"""Documents, put together from a way to many things and what is asked of each."""

ROOT, VIEWER = "{ %s }", "{ viewer { %s } }"
IN_SPRING = '{ community(slug: "spring") { %s } }'
COMMUNITIES = "{ communities(first: 100) { edges { node { %s } } } }"

VOTES = "votes(first: 100) { edges { node { %s } } }"
EVENTS = "events(first: 100) { edges { node { %s } } }"
LEDGER = "ledger { %s }"
A_COMMUNITY = 'community(slug: "{slug}") {{ %s }}'
"""With braces for `str.format`."""

CURSORS = " { edges { cursor } }"


def aliases(text: str, times: int = 20) -> str:
    return " ".join(f"a{number}: {text}" for number in range(times))


def pages(name: str, below: str) -> str:
    return " ".join(f"a{first}: {name}(first: {100 - first}) {{ {below} }}" for first in range(20))
