import pytest
from graphql import GraphQLError, parse

from schema.inputs import path_of

DOCUMENT = """query A($e: In = {b: [1, 2]}, $n: Int) {
  ...F one(x: {y: [$n, {z: 3}]}, e: $e) @skip(if: true) }
fragment F on Query { two { three(deep: {in: $hidden}) } }"""


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ("Variable '$n' has invalid value: Int cannot", "x.y.0"),
        ("Variable '$e' has invalid value at .b[1]: Int cannot", "e.b.1"),
        (
            "Variable '$e' has invalid value: …of type 'I' to include required field 'q', found: 1.",
            "e.q",
        ),
        ("Variable '$hidden' has invalid value at [0].c: x", "deep.in.0.c"),
        ("Variable '$unused' has invalid value at .c: x", "unused.c"),
        ("Argument 'Query.one(w:)' of type 'Int!' is required, but it was not provided.", "w"),
        ("Argument '@skip(if:)' of type 'Boolean!' is required, but it was not provided.", "if"),
        ("Cannot query field 'x' on type 'Query'.", None),
    ],
)  # fmt: skip
def test_a_message_names_the_path(message: str, path: str | None) -> None:
    assert path_of(GraphQLError(message), parse(DOCUMENT)) == path


def test_a_node_is_found_where_it_stands() -> None:
    document = parse(DOCUMENT)
    operation = document.definitions[0]
    one = operation.selection_set.selections[1]  # type: ignore[attr-defined]
    z = one.arguments[0].value.fields[0].value.values[1].fields[0].value
    default = operation.variable_definitions[0].default_value.fields[0].value.values[1]  # type: ignore[attr-defined]
    for node, path in (
        (z, "x.y.1.z"),
        (default, "e.b.1"),
        (one.directives[0].arguments[0].value, "if"),
        (one, None),
    ):
        assert path_of(GraphQLError("wrong", node), document) == path


def test_without_a_document_the_variable_itself_is_named() -> None:
    error = GraphQLError("Variable '$e' has invalid value at .b[1]: x")
    assert path_of(error, None) == "e.b.1"
    assert path_of(GraphQLError("x"), None) is None
