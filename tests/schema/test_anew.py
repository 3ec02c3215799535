from schema.anew import ANEW
from schema.schema import graphql_schema


def test_every_mutation_lets_what_follows_be_read_anew() -> None:
    """What that means is tried in `test_statements.py`."""
    kind = graphql_schema._schema.mutation_type
    assert kind
    definitions = {name: field.extensions["strawberry-definition"] for name, field in kind.fields.items()}
    assert {"castBallot", "signUp", "recordEntry"} <= set(definitions)
    assert [name for name, definition in definitions.items() if ANEW not in definition.extensions] == []
