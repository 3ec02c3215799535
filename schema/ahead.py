"""What is selected below a field, so that nothing is read in vain."""

from collections.abc import Iterable, Iterator

from strawberry.types.nodes import SelectedField, Selection

from schema.context import Info


def selected_in(info: Info, *path: str) -> frozenset[str]:
    """The names of the fields that stand at the end of a path below the field, such as `edges.node`. Some may
    not be asked for after all: @skip, @include and the types of fragments are not looked at.

    It is looked for once an answer, however many objects have the field: below each it is the same.
    """
    names = tuple(part for part in info.path.as_list() if isinstance(part, str))
    known = info.context.loaders.ahead
    if (names, path) not in known:
        known[names, path] = _at_the_end(info, path)
    return known[names, path]


def _at_the_end(info: Info, path: tuple[str, ...]) -> frozenset[str]:
    fields = [below for field in info.selected_fields for below in _fields(field.selections)]
    for name in path:
        fields = [below for field in fields if field.name == name for below in _fields(field.selections)]
    return frozenset(field.name for field in fields)


def _fields(selections: Iterable[Selection]) -> Iterator[SelectedField]:
    for selection in selections:
        if isinstance(selection, SelectedField):
            yield selection
        else:
            yield from _fields(selection.selections)
