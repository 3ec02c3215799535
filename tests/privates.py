"""Finds where a module touches what a library keeps to itself."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

DOCUMENTED = {
    "_asdict", "_field_defaults", "_fields", "_make", "_replace",  # collections.namedtuple
    "_exit",  # os
}  # fmt: skip
"""Names that begin with an underscore and are public all the same."""

BY_NAME = {"getattr", "setattr", "hasattr", "delattr", "attrgetter", "methodcaller"}


class Reach(NamedTuple):
    """`library`: whose private it is, where that can be told without running the code."""

    line: int
    name: str
    library: str | None = None


def is_private(name: str) -> bool:
    return name.startswith("_") and name[1:] != "" and not name.endswith("__") and name not in DOCUMENTED


def reaches_of(tree: ast.Module, module: object, ours: set[str]) -> set[Reach]:
    """Of `module`, whose code is `tree`; `ours`: the packages whose privates are not a library's.

    A private is the module's own if a class or function of it defines that name; a class that inherits from a
    library's own class takes the library's name for it wherever both have one.
    """
    own, foreign = set(_defined(tree)), _foreign_names(tree, ours)
    found = {reach for node in ast.walk(tree) for reach in _reaches(node, own, foreign)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found |= set(_inside(node, _inherited(getattr(module, node.name, None), ours)))
    return found


def _defined(tree: ast.Module) -> Iterator[str]:
    """The private names that the module gives to its own functions, classes, values and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value):
            yield node.attr


def _is_self(node: ast.expr) -> bool:
    return ast.unparse(node) in {"self", "cls", "super()"}


def _foreign_names(tree: ast.Module, ours: set[str]) -> dict[str, str]:
    """The names that are imported from elsewhere, each with the package that it is from."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            pairs = [(alias.asname or _package(alias.name), alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            pairs = [(alias.asname or alias.name, node.module) for alias in node.names]
        else:
            continue
        found |= {name: _package(source) for name, source in pairs if _package(source) not in ours}
    return found


def _package(name: str) -> str:
    return name.partition(".")[0]


def _reaches(node: ast.AST, own: set[str], foreign: dict[str, str]) -> Iterator[Reach]:
    match node:
        case ast.Attribute(value=value, attr=name, lineno=line) if is_private(name):
            if not _is_self(value) and name not in own:
                yield Reach(line, ast.unparse(node), foreign.get(_package(ast.unparse(value))))
        case ast.ImportFrom(module=str(source), names=names, lineno=line):
            for part in {*source.split("."), *(alias.name for alias in names)}:
                if is_private(part) and _package(source) in foreign.values():
                    yield Reach(line, f"{source}: {part}", _package(source))
        case ast.Import(names=names, lineno=line):
            for alias in names:
                if any(map(is_private, alias.name.split("."))):
                    yield Reach(line, alias.name, _package(alias.name))
        case ast.Call(func=func, args=args, keywords=keywords, lineno=line):
            if ast.unparse(func).rpartition(".")[2] in BY_NAME:
                for arg in args:
                    name = arg.value if isinstance(arg, ast.Constant) and isinstance(arg.value, str) else ""
                    if any(map(is_private, name.split("."))) and name not in own:
                        yield Reach(line, name)
            for keyword in keywords:
                if keyword.arg and is_private(keyword.arg) and keyword.arg not in own:
                    yield Reach(line, f"{keyword.arg}=", foreign.get(_package(ast.unparse(func))))
        case ast.Assign(targets=targets):
            for target in targets:  # of a module or class that was imported: a patch
                if isinstance(target, ast.Attribute) and (library := foreign.get(ast.unparse(target.value))):
                    yield Reach(target.lineno, f"{ast.unparse(target)} =", library)


def _inherited(kind: Any, ours: set[str]) -> dict[str, str]:
    """The private names that a class has from classes of libraries, each with its library."""
    if not isinstance(kind, type):
        return {}
    libraries = [base for base in kind.__mro__ if _package(base.__module__) not in {*ours, "builtins"}]
    return {name: _package(base.__module__) for base in libraries for name in _privates_of(base)}


@cache
def _privates_of(kind: type) -> frozenset[str]:
    """Its attributes, and what its code sets on `self` where it has code in Python."""
    found = {*vars(kind), *getattr(kind, "__slots__", ())}
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):
        tree = ast.Module([], [])
    return frozenset(filter(is_private, found | set(_defined(tree))))


def _inside(body: ast.ClassDef, inherited: dict[str, str]) -> Iterator[Reach]:
    for node in ast.walk(body):
        if isinstance(node, ast.Attribute) and _is_self(node.value) and node.attr in inherited:
            yield Reach(node.lineno, ast.unparse(node), inherited[node.attr])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in inherited:
            yield Reach(node.lineno, f"def {node.name}", inherited[node.name])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in inherited:
            yield Reach(node.lineno, f"{node.id} =", inherited[node.id])
