"""The rules of the house: rooms, purity, one door for writing, and that what is written down is true."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from strawberry.types.base import has_object_definition
from strawberry.types.lazy_type import StrawberryLazyReference

import community
from api.settings import Settings
from community.database.work import ACTIONS
from community.permissions import GRANTS, AllOf, AnyOf, Anyone, Needs, Permission, PublicReading, Tied
from schema.nodes import NODES
from schema.schema import graphql_schema, sdl
from tests.privates import reaches_of

ROOT = Path(__file__).parents[1]
ROOMS = ("community", "realtime", "schema", "api")
"""From the bottom upwards: each imports only itself and what stands before it."""

DEMONSTRATION = "demo"
"""A room beside them: it acts on a community as everybody does, and the house stands without it."""

LIBRARY = "compiled"
"""A room that knows nothing of ours, as if it came from elsewhere."""

SOURCES = sorted(
    path.relative_to(ROOT)
    for room in (*ROOMS, DEMONSTRATION, LIBRARY)
    for path in (ROOT / room).rglob("*.py")
)
MIGRATIONS = Path("community/database/migrations")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def module_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imported(node: ast.AST) -> list[str]:
    """The modules that an import statement names; `from a import b` may name `a.b`."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        assert node.module
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def imports_of(path: Path) -> set[str]:
    return {name for node in ast.walk(tree_of(path)) for name in imported(node)}


def top(name: str) -> str:
    return name.partition(".")[0]


MODULES = {module_of(path) for path in SOURCES}


def ours_in(path: Path) -> set[str]:
    return imports_of(path) & MODULES


def text_of(node: ast.AST) -> list[str]:
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def calls_in(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name:
            yield node


# Rooms


ALL_OURS = {*ROOMS, DEMONSTRATION, LIBRARY, "tests", "bench", "deploy", "docs"}
LOADS_DEMONSTRATION = Path("api/commands.py")
"""The one module of a room that imports it, and in functions."""


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_room_imports_only_rooms_below(path: Path) -> None:
    room = path.parts[0]
    allowed = {"community", room} if room == DEMONSTRATION else {room}
    if room in ROOMS:
        allowed = {*ROOMS[: ROOMS.index(room) + 1]} | ({LIBRARY} if room == "schema" else set())
    allowed |= {DEMONSTRATION} if path == LOADS_DEMONSTRATION else set()
    assert {top(name) for name in imports_of(path)} & ALL_OURS <= allowed


def test_what_stands_above_topics_is_imported_by_none_of_them() -> None:
    """A module of `community/` itself that imports a topic; so a topic never asks what needs it."""
    topics = {path.parts[1] for path in SOURCES if path.match("community/*/models.py")} - {"database"}
    inside = [path for path in SOURCES if path.parts[0] == "community" and path.parts[1] in topics]
    within = {module_of(path) for path in inside}
    above = {module_of(path) for path in SOURCES if path.match("community/*.py") and ours_in(path) & within}
    assert above == {"community.actions"}
    for path in SOURCES:
        if path.parts[0] == "community" and module_of(path) not in above:
            assert not imports_of(path) & above, path


FOREIGN = {"strawberry", "graphql", "starlette", "uvicorn", "httpx2", "redis", "websockets", "typer"}


def test_what_is_true_knows_neither_graphql_nor_http_nor_a_broker() -> None:
    for path in SOURCES:
        if path.parts[0] == "community":
            assert not {top(name) for name in imports_of(path)} & FOREIGN, path


def test_what_is_live_knows_graphql_but_neither_strawberry_nor_http_nor_a_name_of_the_schema() -> None:
    """It runs whatever schema it is handed: no type and no subscription stands in it by name."""
    core = graphql_schema.core
    assert core.subscription_type
    names = {*core.type_map, *core.subscription_type.fields}
    for path in SOURCES:
        if path.parts[0] == "realtime":
            libraries = {top(name) for name in imports_of(path)} - sys.stdlib_module_names
            redis = {"redis"} if path.name == "redis_broker.py" else set()
            assert libraries <= {"community", "realtime", "graphql", "orjson"} | redis, path
            assert not {text for node in ast.walk(tree_of(path)) for text in text_of(node)} & names, path


def test_the_library_knows_graphql_core_and_nothing_else() -> None:
    for path in SOURCES:
        if path.parts[0] == LIBRARY:
            libraries = {top(name) for name in imports_of(path)} - sys.stdlib_module_names
            assert libraries <= {LIBRARY, "graphql"}, path


OF_REALTIME = {
    "schema/live.py": {"authorization", "fields"},  # declares a live field, and runs it by itself
    "schema/marks.py": {"audience", "fields"},  # declares for whom a field says the same
    "schema/schema.py": {"fields"},  # copies both into graphql-core's schema
    "schema/executable.py": {"fields", "sources"},  # is what `realtime/` is handed
    "schema/context.py": {"sources"},
    "schema/limits.py": {"syntax"},
    "schema/prepared.py": {"audience", "recent", "syntax"},  # walks documents, and keeps them
    "schema/errors.py": {"request_id"},  # under which number a fault is logged
}
"""What of `schema/` imports which modules of `realtime/`; a topic imports none: it declares by `live`."""


def test_a_topic_declares_what_is_live_and_knows_nothing_of_how() -> None:
    taken = {
        str(path): {name.removeprefix("realtime.") for name in ours_in(path) if top(name) == "realtime"}
        for path in SOURCES
        if path.parts[0] == "schema"
    }
    assert {path: names for path, names in taken.items() if names} == OF_REALTIME


def test_the_page_takes_only_the_printed_schema_from_the_house() -> None:
    page = ROOT / "frontend"
    names = subprocess.run(
        ["git", "ls-files", "frontend"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    ).stdout.split()
    kinds = {".ts", ".js", ".mjs", ".svelte", ".tsx", ".html", ".css", ".json"}
    files = [file for file in map(ROOT.joinpath, names) if file.suffix in kinds and file.exists()]
    assert files
    taken = {
        (file.parent / text).resolve()
        for file in files
        for text in re.findall(r"""["'](\.\.?/[^"'\s]+)["']""", file.read_text(encoding="utf-8"))
    }
    outside = {target for target in taken if not target.is_relative_to(page)}
    assert outside <= {ROOT / "schema" / "schema.graphql"}


# Circles

REFS = Path("schema/refs.py")
"""The one file of lazy references. Its imports for the type checker are the only ones that turn back."""

WITHIN_FUNCTIONS = {
    "api/cli.py": "each command starts fast, and counting files needs no database",
    "api/commands.py": "a server starts without the demonstration, progress bars and recounts",
}
"""Where functions import, and why."""


def of_type_checking(tree: ast.AST) -> set[ast.AST]:
    """What only the type checker sees."""
    guards = (node for node in ast.walk(tree) if isinstance(node, ast.If))
    return {
        inner
        for guard in guards
        if "TYPE_CHECKING" in ast.unparse(guard.test)
        for statement in guard.body
        for inner in ast.walk(statement)
    }


def packages_of(name: str) -> set[str]:
    return {name[:end] for end, letter in enumerate(name) if letter == "."}


def turns_to(module: str, tree: ast.AST, without: set[ast.AST]) -> set[str]:
    """Our modules that this one needs, wherever it says so: also in a function, for the type checker, or in
    a string that is the name of a module. Whoever imports `a.b.c` runs `a` and `a.b`, unless it is in them.
    """
    nodes = [node for node in ast.walk(tree) if node not in without]
    names = {name for node in nodes for name in imported(node)}
    names |= {text.partition(":")[0] for node in nodes for text in text_of(node) if "." in text}
    around = {package for name in names & MODULES for package in packages_of(name)} - packages_of(module)
    return ((names | around) & MODULES) - {module}


def circle_in(trees: Mapping[str, ast.AST], without: Mapping[str, set[ast.AST]]) -> list[str]:
    graph = {module: turns_to(module, tree, without.get(module, set())) for module, tree in trees.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_import_goes_in_a_circle() -> None:
    """Not even one in a function or for the type checker; but for the lazy references."""
    trees = {module_of(path): tree_of(path) for path in SOURCES}
    lazy = tree_of(REFS)
    without = of_type_checking(lazy) | {node for call in calls_in(lazy, "lazy") for node in ast.walk(call)}
    assert " → ".join(circle_in(trees, {module_of(REFS): without})) == ""
    assert module_of(REFS) in circle_in(trees, {}), "no lazy reference turns back: none is needed"


BACK = ["import schema.nodes", "from schema import nodes", "from schema.nodes import Node"]


@pytest.mark.parametrize("back", [*BACK, "NAME = 'schema.nodes'"])
@pytest.mark.parametrize(
    "where", ["{}", "if TYPE_CHECKING:\n    {}", "class A:\n    def f(self):\n        {}"]
)
def test_the_rule_about_circles_sees_them(where: str, back: str) -> None:
    there = ast.parse("from schema.context import Info")
    trees = {"schema.nodes": there, "schema.context": ast.parse(where.format(back))}
    assert set(circle_in(trees, {})) == {"schema.nodes", "schema.context"}


def test_the_rule_about_circles_sees_what_a_package_runs() -> None:
    votes = ast.parse("from community.places.rules import OrganizationKind")
    places = ast.parse("from community.votes.rules import Outcome")
    assert circle_in({"community.votes": votes, "community.places.rules": places}, {})
    assert not circle_in({"community.votes.reads": votes, "community.places.rules": places}, {})


def refs() -> dict[str, tuple[str, str]]:
    """The lazy references: the module and the name that each is a string for."""
    found = {}
    for name, ref in vars(importlib.import_module(module_of(REFS))).items():
        for lazy in getattr(ref, "__metadata__", ()):
            if isinstance(lazy, StrawberryLazyReference):
                found[name] = (lazy.module, get_args(ref)[0].__forward_arg__)
    return found


def test_each_lazy_reference_names_a_type_of_the_schema() -> None:
    assert refs()
    for ref, (module, name) in refs().items():
        kind = getattr(importlib.import_module(module), name, None)
        assert has_object_definition(kind), f"{module} has no type {name}"
        assert (kind.__module__, ref) == (module, f"{name}Ref")
        assert graphql_schema.get_type_by_name(name) is kind.__strawberry_definition__
    tree = tree_of(REFS)
    checked = {
        (node.module, alias.name)
        for node in of_type_checking(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert checked == set(refs().values())
    assert len(list(calls_in(tree, "lazy"))) == len(refs())
    used = {name for path in SOURCES for name in imports_of(path)}
    assert {f"{module_of(REFS)}.{ref}" for ref in refs()} <= used


def annotations_in(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            yield node.returns
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation


LOOK_UPS = {"lazy", "LazyType", "StrawberryLazyReference", "resolve_type", "import_module", "__import__"}


BY_NAME = {
    "community/catalogue.py": {"import_module"},  # each topic, for what it declares, as Tortoise for models
    "compiled/selections.py": {"resolve_type"},  # of graphql-core's interfaces and unions
    "schema/plain.py": {"resolve_type"},
}
"""Who looks modules or types up by their names."""


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_nobody_looks_a_lazy_reference_up(path: Path) -> None:
    """They stand in annotations, for Strawberry; and no other way leads from a name to a module."""
    tree = tree_of(path)
    annotations = {node for annotation in annotations_in(tree) for node in ast.walk(annotation)}
    lazy = {node for call in calls_in(tree, "lazy") for node in ast.walk(call)} if path == REFS else set()
    forbidden = LOOK_UPS - BY_NAME.get(str(path), set())
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            assert node.name not in forbidden
            assert node.asname is None or node.name not in refs()
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            assert name not in forbidden or node in lazy, f"line {node.lineno}"
            assert name not in refs() or node in annotations or path == REFS, f"line {node.lineno}"


def test_imports_stand_at_the_head_of_a_module() -> None:
    """Neither in a function nor for the type checker alone, but where the table says why."""
    within, checked = set(), set()
    for path in SOURCES:
        tree = tree_of(path)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                within |= {str(path) for inner in ast.walk(node) if imported(inner)}
        checked |= {str(path) for node in of_type_checking(tree) if imported(node)}
    assert within == set(WITHIN_FUNCTIONS)
    assert checked == {*WITHIN_FUNCTIONS, str(REFS)}


def test_no_other_distribution_provides_one_of_our_names() -> None:
    provided = packages_distributions()
    rooms = (*ROOMS, DEMONSTRATION, LIBRARY)
    assert {room: set(provided.get(room, ())) for room in rooms} == {room: {"meilin"} for room in rooms}


# Libraries

DOCUMENTED = {
    "uvicorn": {"uvicorn.Config", "uvicorn.Server"},
    "websockets": {
        *("websockets.asyncio", "websockets.datastructures", "websockets.exceptions", "websockets.frames"),
        *("websockets.http11", "websockets.protocol", "websockets.server", "websockets.sync"),
    },
}
"""What may be imported of a library: modules, and names in them."""

MARKED = {
    "api/frames.py": {"uvicorn", "websockets"},
    "api/front.py": {"uvicorn"},
    "api/server.py": {"uvicorn"},
    "api/supervisor.py": {"uvicorn"},
}
"""Modules that ask a library for what it does not document. Each says so at its head, name by name, and has
tests that fail where a name is gone, no longer does what it is asked for, or is no longer needed.
"""


def reaches_in(tree: ast.Module, library: str) -> Iterator[str]:
    """What is imported, subclassed or read of a library though it does not document it."""
    given: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and top(imported(node)[0]) == library:
            given |= {alias.asname or top(alias.name) for alias in node.names}
            full = imported(node) if isinstance(node, ast.Import) else imported(node)[1:]
            for name in full:
                known = any(f"{name}.".startswith(f"{good}.") for good in DOCUMENTED[library])
                if (not known and name != library) or re.search(r"\._", name):
                    yield f"{node.lineno}: {name}"
    if not given:
        return
    own = defined_in(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (
                f"{node.lineno}: {node.name}({ast.unparse(base)})"
                for base in node.bases
                if top(ast.unparse(base)) in given
            )
        if isinstance(node, ast.Attribute) and re.match(r"_(?!_)", node.attr) and node.attr not in own:
            yield f"{node.lineno}: {ast.unparse(node)}"


def defined_in(tree: ast.Module) -> set[str]:
    """Names of functions and classes, of what is assigned, and of slots."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id="__slots__")], value=slots):
                names |= {str(slot) for slot in ast.literal_eval(slots)}
    return names


@pytest.mark.parametrize("library", DOCUMENTED)
@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_only_marked_modules_ask_a_library_for_what_it_does_not_document(path: Path, library: str) -> None:
    if library in MARKED.get(path.as_posix(), ()):
        assert library in (ast.get_docstring(tree_of(path)) or "")
    else:
        assert list(reaches_in(tree_of(path), library)) == []


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("import uvicorn._types", ["1: uvicorn._types"]),
        ("from uvicorn.protocols import http", ["1: uvicorn.protocols.http"]),
        ("from uvicorn import _subprocess", ["1: uvicorn._subprocess"]),
        ("import uvicorn\nclass A(uvicorn.Server): ...", ["2: A(uvicorn.Server)"]),
        ("from uvicorn import Server\nclass A(Server): ...", ["2: A(Server)"]),
        ("import uvicorn\nuvicorn.Server(x)._serve()", ["2: uvicorn.Server(x)._serve"]),
        ("import uvicorn\ndef f(a): a._a, a._b = 1, a._c", ["2: a._c"]),
        ("import uvicorn\nclass A:\n  __slots__ = ('_a',)\n  def f(self): self._a, self._f", ["4: self._f"]),
        ("import uvicorn as u\nu.Config(None).__class__", []),
        ("import uvicornlike\nfrom x import uvicorn\nuvicorn._x", []),
    ],
)
def test_the_rule_about_libraries_sees_reaches(text: str, seen: list[str]) -> None:
    assert list(reaches_in(ast.parse(text), "uvicorn")) == seen


# Purity

PURE_OF_VOTES = {
    "announcements", "casting", "file_count", "files", "lifecycle", "roll", "scope", "strict_json",
}  # fmt: skip
PURE = [
    path
    for path in SOURCES
    if path.name == "rules.py"
    or (path.parent == Path("community/votes") and path.stem in PURE_OF_VOTES)
    or path in {Path(f"community/{name}.py") for name in ("errors", "permissions", "steps", "text")}
]
STANDARD = {
    "collections", "dataclasses", "datetime", "enum", "functools", "hashlib", "itertools", "json", "re",
    "types", "typing", "unicodedata", "zoneinfo",
    "pathlib",  # votes.files reads the file that it is given
}  # fmt: skip


@pytest.mark.parametrize("path", PURE, ids=str)
def test_what_decides_is_pure(path: Path) -> None:
    """No I/O, no clock, no chance, no third party: neither here nor in what is imported of ours."""
    names = imports_of(path)
    assert {top(name) for name in names} <= STANDARD | {"community"}
    assert ("pathlib" in names) <= (path.name == "files.py")
    pure = {module_of(other) for other in PURE}
    ours = {name for name in names if (ROOT / Path(*name.split("."))).with_suffix(".py").exists()}
    assert ours <= pure
    called = {ast.unparse(node.func) for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)}
    asked = {name for name in called if re.search(r"(^|\.)(now|utcnow|today|open|print|input|time)$", name)}
    assert asked <= ({"path.open"} if path.name == "files.py" else set())


def test_every_rules_module_is_looked_at() -> None:
    assert len([path for path in PURE if path.name == "rules.py"]) >= 6
    assert len(PURE) == len([path for path in PURE if path.name == "rules.py"]) + 12


# One door for writing

for found in pkgutil.walk_packages(community.__path__, "community."):
    if found.name.endswith(".actions"):
        importlib.import_module(found.name)

ACTION_FILES = [path for path in SOURCES if path.name == "actions.py"]


def may_write(path: Path) -> bool:
    return path.parts[0] == "community" and (
        path.name == "actions.py" or path.is_relative_to("community/database")
    )


def writes_in(tree: ast.Module) -> Iterator[str]:
    """Calls that create, or are awaited to change; a dict's own `update` is not awaited."""
    for node in ast.walk(tree):
        waited = isinstance(node, ast.Await) and isinstance(node.value, ast.Call)
        call = node.value if isinstance(node, ast.Await) else node
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            name = call.func.attr
            if name in {"create", "bulk_create", "get_or_create", "update_or_create", "bulk_update"} or (
                waited and name in {"update", "delete", "save"}
            ):
                yield f"{call.lineno}: {name}"


@pytest.mark.parametrize("path", [path for path in SOURCES if not may_write(path)], ids=str)
def test_only_actions_write(path: Path) -> None:
    assert list(writes_in(tree_of(path))) == []
    text = (ROOT / path).read_text(encoding="utf-8")
    assert not re.search(r"\b(in_transaction|execute_query|execute_script|execute_insert|UnitOfWork)\(", text)
    assert not re.search(r"\b(INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b", text)


def test_the_rule_about_writing_sees_writes() -> None:
    seen = writes_in(ast.parse("async def f():\n    await A.filter(x=1).update(y=2)\n    B.bulk_create([])"))
    assert sorted(seen) == ["2: update", "3: bulk_create"]
    assert list(writes_in(ast.parse("{}.update(a=1)"))) == []


def public_coroutines(module: Any) -> dict[str, Any]:
    return {
        f"{module.__name__}.{name}": value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and inspect.iscoroutinefunction(value)
        and value.__module__ == module.__name__
    }


@pytest.mark.parametrize("path", ACTION_FILES, ids=str)
def test_every_public_coroutine_of_actions_is_an_action(path: Path) -> None:
    """Or part of one: what takes the `work` of an action cannot be called without."""
    module = importlib.import_module(module_of(path))
    coroutines = public_coroutines(module)
    assert coroutines
    for name, coroutine in coroutines.items():
        if name not in ACTIONS:
            assert next(iter(inspect.signature(coroutine).parameters)) == "work", name
            assert not hasattr(coroutine, "__wrapped__"), name


def test_every_action_names_a_permission_and_stands_in_actions() -> None:
    assert ACTIONS
    for name, permission in ACTIONS.items():
        module = name.rpartition(".")[0]
        assert permission in Permission
        assert re.fullmatch(r"community(\.\w+)?\.actions", module), name
        assert name in public_coroutines(importlib.import_module(module))


def leaves_of(needs: Needs) -> list[Any]:
    parts = needs.parts if isinstance(needs, AnyOf | AllOf) else ()
    return [leaf for part in parts for leaf in leaves_of(part)] if parts else [needs]


def test_every_permission_has_its_sentences_and_somebody_who_has_it() -> None:
    assert set(GRANTS) == set(Permission)
    for permission, grant in GRANTS.items():
        assert grant.zh, permission
        assert grant.en, permission
        assert all(
            isinstance(part, Anyone | PublicReading | Tied) or part.roles for part in leaves_of(grant.needs)
        )


# Rows are values


def handing_on(tree: ast.AST) -> Iterator[str]:
    """Methods, resolvers, and lambdas of a row and the context that only give an attribute of the row:
    `row.x`, `self.row.x`, `self.x`.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Lambda(args=args, body=body) if len(args.args) > 1:
                name = "lambda"
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                documented = len(node.body) > 1 and ast.get_docstring(node, clean=False) is not None
                name, args, given = node.name, node.args, node.body[documented:]
                if len(given) != 1 or not isinstance(given[0], ast.Return) or given[0].value is None:
                    continue
                body = given[0].value
            case _:
                continue
        first = args.args[0].arg if args.args else ""
        if re.fullmatch(rf"{re.escape(first)}\.(row\.)?\w+", ast.unparse(body)) and first:
            yield f"{node.lineno}: {name} gives {ast.unparse(body)}"


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parts[0] == "schema"], ids=str)
def test_no_type_only_hands_on_what_a_row_has(path: Path) -> None:
    """The row itself is its value, and the default resolver reads it."""
    classes = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef)]
    shown = [node for node in classes if "strawberry." in "".join(map(ast.unparse, node.decorator_list))]
    assert [text for node in shown for text in handing_on(node)] == []


def test_the_rule_about_handing_on_sees_it() -> None:
    text = """
def a(self): return self.row.title
async def b(row, info): return row.title
def c(self):
    'Says more.'
    return self.title
lambda row, context: row.answers
"""
    seen = [text.partition(" gives")[0] for text in handing_on(ast.parse(text))]
    assert sorted(seen) == ["2: a", "3: b", "4: c", "7: lambda"]
    text = """
def a(self): return self.row.title()
def b(row): return row
def c(row, info): return info.title
def d(row): return other.title
def e(row):
    row.do()
    return row.title
def f(): return rows.title
lambda row, context: row.profile.public
lambda loaders: loaders.votes
"""
    assert list(handing_on(ast.parse(text))) == []


def test_a_node_has_no_instances() -> None:
    """A row is told to be of it by its class, which no other node has."""
    for node in NODES.values():
        with pytest.raises(TypeError, match="no instances"):
            node()
        assert issubclass(node.row, tuple), node
        blank = tuple.__new__(node.row, [None] * len(node.row._fields))  # type: ignore[attr-defined]
        assert node.is_type_of(blank, None)
        assert node.of(blank) is blank
        assert [other for other in NODES.values() if other.is_type_of(blank, None)] == [node]
        assert not node.is_type_of(type("Younger", (node.row,), {})(*blank), None)
    called = {text for path in SOURCES if path.parts[0] == "schema" for text in calls_of_nodes(tree_of(path))}
    assert called == set()


def calls_of_nodes(tree: ast.AST) -> Iterator[str]:
    names = {node.__name__ for node in NODES.values()}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
            yield ast.unparse(node)


# Privates of libraries

PRIVATES = {
    "community/database/tortoise_privates.py": {"tortoise"},
    "schema/strawberry_privates.py": {"strawberry"},
}
"""The modules that reach into what a library keeps to itself, each with its libraries."""


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parent != MIGRATIONS], ids=str)
def test_privates_of_libraries_are_reached_in_marked_modules_only(path: Path) -> None:
    reaches = reaches_of(
        tree_of(path), importlib.import_module(module_of(path)), {*ROOMS, DEMONSTRATION, LIBRARY}
    )
    marked = PRIVATES.get(str(path))
    if marked is None:
        assert sorted(reaches) == []
    else:
        assert reaches, "it reaches into nothing: take it off the table"
        assert {reach.library for reach in reaches} - {None} <= marked


@pytest.mark.parametrize("path", [path for path in SOURCES if path.stem.endswith("_privates")], ids=str)
def test_a_module_of_privates_names_its_library_and_the_upstream_issue(path: Path) -> None:
    assert len(PRIVATES[str(path)]) == 1
    head = ast.get_docstring(tree_of(path)) or ""
    assert re.search(r"[\w.-]+#\d+, (open|closed)", head)
    for asked in ("What is reached:", "Why the public door does not do:", "When it can go:"):
        assert asked in head


REACHING = """
import json, json._scanner
from json import decoder as inner
from json.decoder import JSONDecoder, _quiet
from collections import UserList
class Plain:
    _ours = 1
    def __init__(self): self._mine = 2
    def friend(self, other): return other._mine, self._anything, other._ours
class Quiet(UserList):
    def _cast(self, other): return super()._cast(other)
def use(thing, Pair):
    Pair(1)._replace(a=2)
    thing._deep._mine
    getattr(thing, "_text"), getattr(thing, "_mine"), getattr(thing, "public")
    json.dumps(thing, _flag=True)
    inner.scanstring = None
"""


def test_the_rule_about_privates_sees_them() -> None:
    class Cast(list[int]):
        def _cast(self, other: object) -> object:
            return other

    Cast.__module__ = "json.library"
    quiet = type("Quiet", (Cast,), {"__module__": "ours"})
    module = SimpleNamespace(Plain=type("Plain", (), {"__module__": "ours"}), Quiet=quiet)
    seen = reaches_of(ast.parse(REACHING), module, {"ours"})
    assert sorted((reach.name, reach.library) for reach in seen if reach.library) == [
        ("_flag=", "json"),
        ("def _cast", "json"),
        ("inner.scanstring =", "json"),
        ("json._scanner", "json"),
        ("json.decoder: _quiet", "json"),
        ("super()._cast", "json"),
    ]
    assert sorted(reach.name for reach in seen if not reach.library) == ["_text", "thing._deep"]


# No number that stands for something else

BOUNDS = {
    "api/addresses.py": {"2 ** 31"},
    "api/cli.py": {"2 ** 63"},
    "community/votes/totals.py": {"key: int = 0"},  # of a unique index, in which no NULL is like another
    "community/database/cursors.py": {"2 ** 63"},
    "schema/nodes.py": {"2 ** 63"},
}
"""Where a number is the greatest that a column or a type holds, and is compared with; and a column's own."""


def sentinels_in(tree: ast.AST) -> Iterator[str]:
    """Numbers that may stand for absence or a kind: an id of 0 or below, the greatest that there is, what is
    given or compared as -1, and 0 in place of a key that is missing. A place from the end is none, nor a sum.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            yield ast.unparse(node)
        taken = [value for name, value in _named_in(node) if _is_key(name)]
        taken += [end for side in _compared_in(node) for end in side]
        for value in taken:
            if _is_int(value) and ast.literal_eval(value) <= 0:
                yield ast.unparse(node)
        if isinstance(node, ast.BoolOp) and _is_int(node.values[-1]) and _is_key(ast.unparse(node.values[0])):
            yield ast.unparse(node)
        for text in text_of(node):
            yield from re.findall(r"COALESCE\([\w.]*(?:id|party|account|building|unit|key), -?\d+\)", text)


def _is_int(node: ast.AST) -> bool:
    number = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    return isinstance(number, ast.Constant) and type(number.value) is int


KEYS = {
    "account", "ballot", "building", "community", "developer", "entry", "event", "household", "id", "key",
    "nobody", "organization", "party", "question", "row", "session", "subject", "system", "unit", "vote",
}  # fmt: skip


def _is_key(name: str) -> bool:
    """By its last word; `NO_ROW` is one."""
    words = parts_of(name.rpartition(".")[2])
    return bool(words) and words[-1] in KEYS


def _named_in(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """What an assignment, a default or an argument calls by a name."""
    if isinstance(node, ast.Assign):
        yield from ((ast.unparse(target), node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign) and node.value:
        yield ast.unparse(node.target), node.value
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    elif isinstance(node, ast.arguments):
        named = [*node.posonlyargs, *node.args]
        given = zip(named[len(named) - len(node.defaults) :], node.defaults, strict=True)
        yield from ((arg.arg, value) for arg, value in given)
        yield from (
            (a.arg, value) for a, value in zip(node.kwonlyargs, node.kw_defaults, strict=True) if value
        )


def _compared_in(node: ast.AST) -> Iterator[list[ast.expr]]:
    """Both sides of `key == 0`."""
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
        sides = [node.left, node.comparators[0]]
        if any(_is_key(ast.unparse(side)) for side in sides if isinstance(side, ast.Name | ast.Attribute)):
            yield sides


OF_THE_HOUSE = [path for path in SOURCES if {"migrations", "demo"}.isdisjoint(path.parts)]


@pytest.mark.parametrize("path", OF_THE_HOUSE, ids=str)
def test_absence_and_kinds_are_types_and_no_numbers(path: Path) -> None:
    powers = {"10 ** 13", "2 ** 20"}  # of money and bytes
    assert set(sentinels_in(tree_of(path))) - powers == BOUNDS.get(str(path), set())


def test_the_rule_about_numbers_sees_them() -> None:
    text = """
SYSTEM = Viewer(account=0)
NO_ROW = 0
GONE = 2**63
def f(party=-1, *, unit=0): return session == -1
building or 0
"SELECT COALESCE(d.party, 0), COALESCE(MAX(number), 0)"
"""
    assert sorted(set(sentinels_in(ast.parse(text)))) == [
        "2 ** 63",
        "COALESCE(d.party, 0)",
        "NO_ROW = 0",
        "account=0",
        "building or 0",
        "party=-1, *, unit=0",
        "session == -1",
    ]
    assert list(sentinels_in(ast.parse("count = 0; rows[-1]; sum(key=int, start=0); size == 0"))) == []


# Words

FORBIDDEN_PARTS = {
    "deed": "an action, a command, a unit of work or a job",
    "deeds": "actions, commands, units of work or jobs",
    "glance": "a probe",
    "guest": "a reference",
    "guests": "references",
    "hear": "handle",
    "heard": "handled",
    "moment": "at, now or an instant; the sequence of a ballot; a round of delivery",
    "moments": "instants, sequences or rounds",
    "tell": "publish, report or log",
    "tempo": "pace",
    "told": "published, reported or logged",
}
"""Words that name machinery nowhere, as parts of identifiers, and what to say instead."""

FORBIDDEN_NAMES = {
    "Asked": "QuestionTerms, SubscribeRequest, or what is requested",
    "AskedRow": "RollQuestion",
    "KeyedDeed": "IdempotencyRecord",
    "NO_DEVELOPER": "None",
    "Place": "Scope; the `place` of an event is where people meet",
    "NO_ROW": "None, or raise NotFound",
    "SOMEBODY": "Rights",
    "Standing": "AuthorizationRegistry, or Loaded",
    "Standings": "AuthorizationRegistry",
    "Watching": "LiveSources",
    "Work": "UnitOfWork",
    "after_gap": "on_resync",
    "done_before": "command",
    "hold_word": "lock_advisory",
    "in_one_piece": "atomic",
    "line_of": "Connection or Writer",
    "place_of": "scope_of",
    "place_where": "scope_where",
    "places_of": "scopes_of",
    "rows_open_to": "permitted_rows",
}
"""Names that were taken for machinery, and what it is called."""

COLUMNS = {"deed": {"commands", "models"}}
"""Words that stand as columns of the database, and the modules of `community/database/` that use them."""


def identifiers_in(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Names of variables, attributes, arguments, functions, classes and imports, with their lines."""
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield name, getattr(node, "lineno", 0)


def parts_of(name: str) -> list[str]:
    """The words of `snake_case` and `CamelCase`."""
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def forbidden_in(tree: ast.AST) -> Iterator[str]:
    for name, number in identifiers_in(tree):
        if instead := FORBIDDEN_NAMES.get(name):
            yield f"{number}: {name}: say {instead}"
        for part in parts_of(name):
            if instead := FORBIDDEN_PARTS.get(part):
                yield f"{number}: {name}: say {instead}"


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parent != MIGRATIONS], ids=str)
def test_machinery_is_called_by_the_words_of_its_field(path: Path) -> None:
    in_database = path.parent == Path("community/database")
    columns = {word for word, modules in COLUMNS.items() if in_database and path.stem in modules}
    found = [text for text in forbidden_in(tree_of(path)) if text.split(": ")[1] not in columns]
    assert found == []


def test_the_rule_about_words_sees_them() -> None:
    text = (
        "from a import Place\nclass KeyedDeed: ...\ndef f(moment_of): ...\nself._told = x.place = Moments()"
    )
    assert sorted(seen.split(": say")[0] for seen in forbidden_in(ast.parse(text))) == [
        "1: Place",
        "2: KeyedDeed",
        "2: KeyedDeed",
        "3: moment_of",
        "4: Moments",
        "4: _told",
    ]
    assert list(forbidden_in(ast.parse("momentum = untold.places"))) == []


# What is written down is true


def test_the_printed_schema_is_the_committed_one() -> None:
    committed = (ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8")
    assert sdl() == committed, "run `meilin schema > schema/schema.graphql`"


def test_every_setting_is_named_in_the_readme() -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("there is no README yet")
    text = readme.read_text(encoding="utf-8")
    named = set(re.findall(r"MEILIN_[A-Z_]+[A-Z]", text))
    settings = {f"MEILIN_{field.name.upper()}" for field in fields(Settings)}
    assert settings - named == set()
    assert named - settings == set(), "the README promises a setting that is none"


ELSEWHERE = {
    "community/database/fields.py": "community/database/test_constraints.py",
    "community/votes/actions.py": "community/votes/test_ballots.py",  # one file for each action
    "community/signals.py": "realtime/test_broker.py",  # nothing but names
    "realtime/audience.py": "schema/test_audience.py",
    "realtime/checked.py": "realtime/test_subscriptions.py",
    "realtime/executable.py": "schema/test_executable.py",
    "realtime/execution.py": "realtime/test_subscriptions.py",
    "realtime/request_id.py": "api/test_requests.py",
    "realtime/recent.py": "realtime/test_documents.py",
    "realtime/registry.py": "realtime/test_subscriptions.py",
    "realtime/fields.py": "realtime/test_documents.py",
    "realtime/watched.py": "realtime/test_sources.py",
    "schema/context.py": "schema/test_members.py",  # nothing but what a request is given
    "schema/enums.py": "schema/test_descriptions.py",  # nothing but descriptions
    "schema/refs.py": "test_house.py",  # nothing but lazy references
    "schema/marks.py": "schema/test_audience.py",
    "api/answers.py": "api/test_sessions.py",
    "api/cli.py": "api/test_commands.py",
    "api/count_report.py": "api/test_cli_count.py",
    "api/handshake.py": "api/test_frames.py",
    "api/inbox.py": "api/test_frames.py",
    "api/operations.py": "api/test_sockets.py",
    "api/supervisor.py": "api/test_server.py",
    "community/votes/strict_json.py": "community/votes/test_files.py",
}
"""Modules that are measured by the tests of another one, which says it better."""


OF_EACH_TOPIC = {
    "models.py": "community/database/test_constraints.py",
    "facts.py": "community/test_catalogue.py",
}
"""Nothing but declarations, measured all together."""


def test_every_module_has_its_test_file() -> None:
    lacking = []
    for path in SOURCES:
        if path.name == "__init__.py" or path.is_relative_to(MIGRATIONS):
            continue  # nothing to measure; migrations by the constraints that they leave
        if path.parts[0] == DEMONSTRATION and path.stem not in {"alive", "load"}:
            continue  # content, measured as a whole by what it loads
        own = OF_EACH_TOPIC.get(path.name, str(path.with_name(f"test_{path.name}")))
        test = ELSEWHERE.get(str(path), own)
        if not (ROOT / "tests" / test).exists():
            lacking.append(f"{path} → tests/{test}")
    assert lacking == []
    assert [path for path in ELSEWHERE if not (ROOT / path).exists()] == []


HOSTS = ("pypi" + ".org", "python" + "hosted.org", "npm" + "js.", "yarn" + "pkg.com", "npm" + "mirror")


def test_no_test_makes_a_stock_schema() -> None:
    """It changes how every schema of the process answers `isOneOf` (schema/strawberry_privates.py)."""
    for path in TESTS:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert "strawberry.Schema" not in {ast.unparse(call) for call in calls}, path


def test_no_file_names_the_host_of_a_package_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in listed.stdout.rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
            assert not [host for host in HOSTS if host in text], name


# The world of the tests

TESTS = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))
ESTATE = {
    *("Account", "Building", "CoOwner", "Community", "CommunityProfile", "Organization", "OwnerParty"),
    *("Ownership", "Representative", "RoleGrant", "Tenancy", "Unit", "UnitState"),
}
"""The tables that the actions of `places` and `members` write."""

PAST_ACTIONS = {
    "tests/api/test_sockets_rights.py": {"CommunityProfile", "RoleGrant"},  # while a server runs beside
    "tests/community/database/populating.py": {"Representative"},  # a row in every table
    "tests/community/database/test_postgres.py": {"Account"},  # any row
    "tests/community/database/test_sql.py": {"Account"},  # any row
    "tests/community/events/test_reads.py": {"Building", "CoOwner", "OwnerParty", "Ownership", "Tenancy"},
    "tests/community/members/test_actions.py": {"Account", "CoOwner", "OwnerParty", "Tenancy"},
    "tests/community/members/test_reads.py": {
        "Account",
        "CoOwner",
        "OwnerParty",
        "Ownership",
        "Representative",
        "Tenancy",
    },
    "tests/community/places/test_actions.py": {"CommunityProfile"},  # settings nobody can make yet
    "tests/community/places/test_reads.py": {"CommunityProfile"},
    "tests/community/votes/test_announcing.py": {"CommunityProfile"},
    "tests/community/votes/test_progress.py": {"Ownership"},  # begins and ends by chance
    "tests/schema/test_eligibility.py": {"OwnerParty", "Ownership"},  # a second developer, sales of before
    "tests/schema/test_members.py": {"RoleGrant"},  # every role there is, wherever it belongs
}
"""Tests that write such rows by themselves, to have what no action leaves: a past, an end, a flaw."""


def test_no_conftest_is_longer_than_200_lines() -> None:
    conftests = [path for path in TESTS if path.name == "conftest.py"]
    assert conftests
    for path in conftests:
        assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= 200, path


def made_in(tree: ast.Module) -> set[str]:
    """The tables of an estate of which rows are made."""
    return {
        model
        for how in ("create", "bulk_create")
        for call in calls_in(tree, how)
        if (model := ast.unparse(call.func).removesuffix(f".{how}")) in ESTATE
    }


def test_an_estate_is_made_by_actions_or_in_the_one_world_of_the_tests() -> None:
    made = {str(path): made_in(tree_of(path)) for path in TESTS if not path.match("tests/world/*")}
    assert {path: tables for path, tables in made.items() if tables} == PAST_ACTIONS
