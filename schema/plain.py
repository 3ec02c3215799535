"""Marks what of Strawberry's schema can be compiled (docs/compiled.md)."""

from functools import partial
from typing import Any

from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from community.database.rows import EVERY
from compiled import CLASS, IGNORES_INFO, LOADED, PLAIN, Loaded, Plain, plain_attribute, plain_method
from schema.ahead import COLUMNS
from schema.context import Context
from schema.fields import BROUGHT, IN_CONTEXT, READS, Brought
from schema.nodes import Node, id_of, to_id


def mark_plain(core: GraphQLSchema) -> None:
    """Marks fields that read an attribute, methods that need nothing but `self`, and types of which
    Strawberry itself says what belongs to them: every very instance of their class, as nothing of ours is
    cast.
    """
    for kind in core.type_map.values():
        definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if not isinstance(definition, StrawberryObjectDefinition):
            continue
        if isinstance(kind, GraphQLInterfaceType):
            kind.extensions[IGNORES_INFO] = definition.resolve_type is None
        elif isinstance(kind, GraphQLObjectType):
            if issubclass(definition.origin, Node):
                kind.extensions |= {IGNORES_INFO: True, CLASS: definition.origin.row}
            elif definition.is_type_of is None:
                kind.extensions[IGNORES_INFO] = True
                if definition.concrete_of is None and definition.interfaces:
                    kind.extensions[CLASS] = definition.origin
            for field in kind.fields.values():
                field.extensions |= _marks_of(field, definition.origin)
            if issubclass(definition.origin, Node):
                COLUMNS[definition.origin.row] = {
                    name: _columns_of(field, definition.origin.row) for name, field in kind.fields.items()
                }


def _columns_of(field: GraphQLField, row: type) -> frozenset[str]:
    """Those of a row that a field may read. Of a function or a property nobody knows, unless it says so; one
    that shows what is computed bears its name.
    """
    definition = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    if (said := definition.metadata.get(READS)) is not None:
        return frozenset(said)
    read = field.extensions.get(PLAIN) or getattr(field.extensions.get(LOADED), "key", None)
    if read and read.path[:1] and read.path[0] in row._fields:  # type: ignore[attr-defined]
        return frozenset(read.path[:1])
    return frozenset({EVERY, definition.python_name})


def _marks_of(field: GraphQLField, origin: type) -> dict[str, Any]:
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(definition, StrawberryField) or definition.extensions or field.args or field.subscribe:
        return {}
    if type(definition).get_result is not StrawberryField.get_result:
        return {}
    plain = _plain(field, definition, origin)
    if plain is None and (brought := definition.metadata.get(BROUGHT)):
        return {LOADED: _loaded(field, brought)}
    return {PLAIN: plain} if plain else {}


def _plain(field: GraphQLField, definition: StrawberryField, origin: type) -> Plain | None:
    resolver = definition.base_resolver
    if resolver is None:
        return _read(field, definition)
    if value := definition.metadata.get(IN_CONTEXT):
        return Plain(field.resolve, value, in_context=True)
    if resolver.wrapped_func is id_of and issubclass(origin, Node):
        return Plain(field.resolve, id_of, ("id",), through=partial(to_id, origin.subject_of.kind))
    needs: tuple[Any, ...] = (resolver.info_parameter, resolver.parent_parameter, resolver.root_parameter)
    if resolver.is_async or not resolver.self_parameter or any(needs) or resolver.arguments:
        return None
    return plain_method(field.resolve, resolver.wrapped_func)


def _loaded(field: GraphQLField, brought: Brought) -> Loaded:
    def loader(context: Context) -> Any:
        return brought.loader(context.loaders)

    return Loaded(field.resolve, plain_attribute(None, brought.key), loader, brought.optional)


def _read(field: GraphQLField, definition: StrawberryField) -> Plain:
    name, read = definition.python_name, definition.default_resolver
    if read is getattr:
        return plain_attribute(field.resolve, name)
    return Plain(field.resolve, partial(_swapped, read, name))


def _swapped(read: Any, name: str, source: Any) -> Any:
    return read(source, name)
