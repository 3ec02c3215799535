import inspect

import strawberry
from graphql import GraphQLSchema

from schema.strawberry_privates import OpenSchema

ONE_OF = '{ __type(name: "Query") { fields { type { isOneOf ofType { isOneOf } } } } }'


@strawberry.type
class Query:
    @strawberry.field
    def names(self) -> list[str]:
        return []


def test_a_stock_schema_still_fails_to_say_which_types_are_one_of() -> None:
    assert strawberry.Schema(Query).execute_sync(ONE_OF).errors


def test_ours_says_it() -> None:
    result = OpenSchema(Query).execute_sync(ONE_OF)
    assert not result.errors
    assert result.data == {"__type": {"fields": [{"type": {"isOneOf": False, "ofType": {"isOneOf": False}}}]}}


def test_no_public_attribute_is_the_schema_of_graphql_core() -> None:
    schema = strawberry.Schema(Query)
    found = inspect.getmembers(schema, lambda value: isinstance(value, GraphQLSchema))
    assert [name for name, _ in found] == ["_schema"]
    assert isinstance(OpenSchema(Query).core, GraphQLSchema)
