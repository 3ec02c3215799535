import gc
import weakref
from typing import Any

import pytest

from compiled.program import BUILTINS, Program
from tests.leftovers import leftovers


def made() -> tuple[Program, Any]:
    program = Program()
    name, constant = program.name(), program.constant([5])
    with program.block("if v:"):
        program.line(f"{name} = {constant}[0]")
    with program.block("else:"):
        program.line(f"{name} = None")
    program.line(f"return {name}")
    return program, program.function()


def test_lines_become_a_function() -> None:
    program, function = made()
    assert (function(1, None), function(0, None)) == (5, None)
    assert program.source.splitlines()[:3] == ["def run(v, info):", " if v:", "  x1 = k0[0]"]


def test_a_constant_has_one_name() -> None:
    program, value = Program(), object()
    assert program.constant(value) == program.constant(value) != program.constant(object())


def test_lines_are_taken_back_with_what_they_refer_to() -> None:
    program = Program()
    gone = type("Gone", (), {})()
    program.line(f"x = {program.constant(gone)}")
    program.forget_after(0)
    program.line("return v")
    function, left = program.function(), weakref.ref(gone)
    del program, gone
    assert left() is None
    assert function(3, None) == 3


def test_a_function_goes_at_once_when_it_is_let_go() -> None:
    with leftovers() as left:
        program, function = made()
        del program, function
        gc.collect()
    assert left == []


def test_nothing_of_python_can_be_named() -> None:
    program = Program()
    program.line("return open")
    with pytest.raises(NameError):
        program.function()(None, None)
    assert set(BUILTINS) == {"type", "str", "int", "float", "list", "tuple", "dict", "id", "Surprise"}
