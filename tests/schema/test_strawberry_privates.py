"""In a process of its own: a stock schema changes the introspection of all schemas in its process."""

import subprocess
import sys

HEAD = """
import inspect, strawberry
from graphql import GraphQLSchema
from schema.strawberry_privates import OpenSchema
ASKED = '{ __type(name: "Query") { fields { type { isOneOf ofType { isOneOf } } } } }'
@strawberry.type
class Query:
    @strawberry.field
    def names(self) -> list[str]:
        return []
"""


def ran(text: str) -> list[str]:
    run = subprocess.run([sys.executable, "-c", HEAD + text], capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


def test_a_stock_schema_still_fails_to_say_which_types_are_one_of_and_ours_does_not() -> None:
    asked = "print({}(Query).execute_sync(ASKED).errors is None)\n"
    assert ran(asked.format("OpenSchema") + asked.format("strawberry.Schema")) == ["True", "False"]


def test_no_public_attribute_is_the_schema_of_graphql_core() -> None:
    members = "inspect.getmembers(strawberry.Schema(Query), lambda value: isinstance(value, GraphQLSchema))"
    assert ran(f"print([name for name, _ in {members}])\nprint(OpenSchema(Query).core is not None)") == [
        "['_schema']",
        "True",
    ]
