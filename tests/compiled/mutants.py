"""Faults that are planted in `compiled/`, one at a time, each of which a test has to see.

`python -m tests.compiled.mutants [NAME…]` plants them in copies.
"""
# ruff: noqa: E501 - lines of the package stand here as they are

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


OF_THE_TEXT = ("takes_few_lines", "text_in_the_docs", "docs_say", "docs_count")
"""Tests that see any other text; what counts is that clients would."""


class Mutant(NamedTuple):
    name: str
    file: str
    text: str
    instead: str


MUTANTS = (
    Mutant("int-range", "leaves", " or not -2147483648 <= {0} <= 2147483647", ""),
    Mutant("float-finite", "leaves", " or {0} - {0} != 0.0", ""),
    Mutant("bool-as-int", "leaves", "type({0}) is not int or", "type({0}) is not int and type({0}) is not bool or"),
    Mutant("null-in-non-null-leaf", "compiler", "return self._leaf(inner, v, nullable=nullable)", "return self._leaf(inner, v, nullable=True)"),
    Mutant("exception-as-value", "classes", "(BaseException, *_NEVER)) or", "_NEVER) or"),
    Mutant("exception-as-item", "compiler", "                if not kind.is_type_of:\n                    self._selections.check_class(self._program, v)\n", ""),
    Mutant("is-type-of-dropped", "selections", "        if not kind.is_type_of:\n            return\n", "        return\n"),
    Mutant("flags-not-in-the-key", "plans", "tuple([given.get(name) for name in operation.variables])", "()"),
    Mutant("resolvers-taken-as-plain", "selections", "        if field.resolve is not None:\n            raise NotCompiled\n", ""),
    Mutant("merged-nodes-not-in-the-key", "plans", "if len(details) == 1:", "if details:"),
    Mutant("no-type-in-the-key", "plans", "place: Hashable = id(kind), id(details[0].node)", "place: Hashable = id(details[0].node)"),
    Mutant("alias-ignored", "compiler", 'f"{text(name)}: {made}"', 'f"{text(fields[0].node.name.value)}: {made}"'),
    # Ten more
    Mutant("awaitables-not-seen", "classes", 'or hasattr(kind, "__await__")', ""),
    Mutant("the-rest-comes-last", "compiler", 'rest[name], made = fields, "None"', "rest[name], made = fields, None"),
    Mutant("fragments-of-another-document", "plans", "len(given) == len(self._fragments) and all(map(is_, given.values(), self._fragments))", "True"),
    Mutant("info-of-the-field-around", "selections", "if not own and not kind.extensions.get(IGNORES_INFO):", "if False:"),
    Mutant("types-by-info-around", "selections", "if not own and not _decides_without_info(kind, possible):", "if False:"),
    Mutant("middleware-passed-over", "executor", "and not (manager and manager.middlewares)", ""),
    Mutant("other-directives-ignored", "plans", "        if directive.name.value not in {\"skip\", \"include\"}:\n            return None\n", ""),
    Mutant("null-among-items", "compiler", "(False, kind.of_type) if is_non_null_type(kind) else (True, kind)", "(True, kind.of_type) if is_non_null_type(kind) else (True, kind)"),
    Mutant("anything-is-a-list", "compiler", 'program.line(f"if type({v}) is not list and type({v}) is not tuple: raise Surprise")', "pass"),
    Mutant("subclasses-are-of-the-class", "selections", "if type({v}) is not {program.constant(its_class)}:", "if {program.constant(its_class)} not in type({v}).__mro__:"),
    Mutant("marks-of-other-resolvers", "selections", "isinstance(plain, Plain) and plain.resolver is field.resolve", "isinstance(plain, Plain)"),
    Mutant("methods-of-values-not-called", "reading", "if callable(value):", "if False:"),
    Mutant("abort-passed-over", "executor", "self.abort_signal is None\n            and", "True\n            and"),
    Mutant("lists-without-a-bound", "plans", "most = plan.seen // self._objects_a_field if self._objects_a_field else MOST_FIELDS", "most = MOST_FIELDS"),
    Mutant("plans-outlive-documents", "plans", "lambda _: self._let_go(key)", "lambda _: None"),
    Mutant("bytes-not-counted", "plans", "                operation.size += size\n                self.size += size\n", "                pass\n"),
    Mutant("any-text-in-a-program", "selections", "    if not _NAME.fullmatch(name):\n        raise NotCompiled\n", ""),
    Mutant("python-within-reach", "program", 'space["__builtins__"] = BUILTINS', "pass"),
    Mutant("functions-keep-themselves", "program", 'space.pop("run")', 'space["run"]'),
    Mutant("coroutines-left-open", "selections", "        close()\n", "        pass\n"),
    # Of what is loaded
    Mutant("null-is-a-key", "wishes", 'f"if {key} is not None: {self._keys_of(loaded)}.append({key})"', 'f"{self._keys_of(loaded)}.append({key})"'),
    Mutant("anything-is-gone-through", "wishes", 'program.line(f"if type({v}) is not list and type({v}) is not tuple: raise Surprise")', "pass"),
    Mutant("levels-mixed", "wishes", "if self._behind == self._level:", "if self._behind <= self._level:"),
    Mutant("null-items-gathered", "wishes", 'block_if_any(f"if {item} is not None:")', 'block_if_any("if True:")'),
    Mutant("null-objects-gathered", "wishes", 'block_if_any(f"if {v} is not None:")', 'block_if_any("if True:")'),
    Mutant("the-rest-gathered", "wishes", "if name not in rest:", "if True:"),
    Mutant("keys-of-the-answer-before", "wishes", 'self._program.first("[]")', "self._program.constant([])"),
    Mutant("types-not-asked-while-gathering", "wishes", "        self._selections.check_type(self._program, kind, v, own=True)\n", ""),
    Mutant("missing-is-always-null", "compiler", "if not loaded.optional:", "if False:"),
    Mutant("missing-is-never-null", "compiler", "if not loaded.optional:", "if True:"),
    Mutant("null-keys-looked-up", "compiler", 'program.line(f"if {key} is None: {value} = None")', 'program.line(f"if False: {value} = None")'),
    Mutant("levels-of-the-last-field", "compiler", "self._levels = max(self._levels, self._behind)", "self._levels = self._behind"),
    Mutant("only-the-first-level", "executor", "for level in range(len(plan.wishes)):", "for level in range(min(1, len(plan.wishes))):"),
    Mutant("levels-behind-it-not-read", "executor", "if level >= len(plan.wishes):", "if True:"),
    Mutant("waits-for-what-is-there", "executor", "[want for want in wants if want is not None]", "wants"),
    Mutant("surprise-behind-a-level-is-an-error", "executor", "return await made if isawaitable(made) else made", "return made"),
    Mutant("surprises-of-wishes-not-counted", "executor", "    except Exception as error:\n        _note(plan, error)\n        return otherwise()\n    return _run(", "    except Exception:\n        return otherwise()\n    return _run("),
    Mutant("absent-things-counted-as-surprises", "executor", "    if not isinstance(error, KeyError):\n", "    if True:\n"),
    Mutant("loaders-of-other-resolvers", "selections", "isinstance(loaded, Loaded) and loaded.resolver is field.resolve", "isinstance(loaded, Loaded)"),
    Mutant("errors-in-the-order-of-compiled", "executor", 'if not (self._gathered and getattr(made, "errors", None)):', "if True:"),
    Mutant("errors-at-once-as-they-are", "executor", "else self._as_alone(made, serially)", "else made"),
    Mutant("executed-again-where-all-is-found", "executor", "        alone.context_value = self.context_again()\n", ""),
    Mutant("errors-told-twice", "executor", "        alone.collected_errors = CollectedErrors()\n", ""),
    Mutant("mutations-executed-again", "executor", "if plan and plan.wishes and self.operation.operation is MUTATION", "if False"),
    Mutant("only-the-attribute-is-read", "selections", "if plain.through else last", "if False else last"),
    Mutant("no-context-given", "selections", "if plain.in_context else", "if False else"),
    Mutant("once-is-every-time", "program", "if expression not in self._shared:", "if True:"),
    Mutant("what-nothing-uses-runs", "program", "for name, text in self._head.items() if name in used", "for name, text in self._head.items()"),
)  # fmt: skip


SEEN_BY_CHANCE = {
    *("int-range", "null-in-non-null-leaf", "exception-as-value", "exception-as-item", "is-type-of-dropped"),
    *("flags-not-in-the-key", "resolvers-taken-as-plain", "no-type-in-the-key", "alias-ignored"),
    *("awaitables-not-seen", "the-rest-comes-last", "null-among-items", "anything-is-a-list"),
}
"""Faults that random documents see by themselves. The others cannot arise in our schema, which has no Float,
say, or need what chance hardly finds; a test by hand sees them.
"""


def planted(mutant: Mutant, room: Path) -> Path:
    """A copy of the package with this fault."""
    shutil.copytree(ROOT / "compiled", room / "compiled", ignore=shutil.ignore_patterns("__pycache__"))
    file = room / "compiled" / f"{mutant.file}.py"
    text = file.read_text(encoding="utf-8")
    assert text.count(mutant.text) == 1, f"{mutant.name}: its line is gone"
    file.write_text(text.replace(mutant.text, mutant.instead), encoding="utf-8")
    return room


def seen_by(mutant: Mutant, tests: Sequence[str] = ("tests/compiled",)) -> str | None:
    """The test that fails first."""
    with tempfile.TemporaryDirectory() as room:
        copy = planted(mutant, Path(room))
        path = os.pathsep.join([str(copy), str(ROOT)])
        done = subprocess.run(
            [sys.executable, "-P", "-m", "pytest", "-x", "-k", " and ".join(f"not {each}" for each in OF_THE_TEXT), "-p", "no:cacheprovider", "-o", f"pythonpath={copy}", *tests],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, encoding="utf-8",
            check=False, timeout=170,
        )  # fmt: skip
    failed = [line.removeprefix("FAILED ") for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    assert done.returncode in {0, 1} and (failed or done.returncode == 0), done.stdout + done.stderr  # noqa: PT018
    return failed[0] if failed else None


if __name__ == "__main__":
    for each in MUTANTS:
        if not sys.argv[1:] or each.name in sys.argv[1:]:
            print(each.name, "←", seen_by(each) or "NOT SEEN", flush=True)  # noqa: T201
