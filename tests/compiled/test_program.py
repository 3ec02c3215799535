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
    assert set(BUILTINS) == {
        "type",
        "str",
        "int",
        "float",
        "list",
        "tuple",
        "dict",
        "id",
        "Surprise",
        "Absent",
    }


def test_what_stands_first_is_made_once_before_all_else() -> None:
    program, calls = Program(), list[int]()
    count = program.constant(lambda info: calls.append(info) or len(calls))
    one, same = program.once(f"{count}(info)"), program.once(f"{count}(info)")
    fresh, other = program.first("[]"), program.first("[]")
    assert one == same
    assert len({one, fresh, other}) == 3, "two lists are two"
    with program.block(f"for x in {program.constant(range(3))}:"):
        program.line(f"{fresh}.append({one})")
    program.line(f"return {fresh}, {other}, {one}")
    function = program.function()
    assert function(None, 7) == ([1, 1, 1], [], 1)
    assert function(None, 8) == ([2, 2, 2], [], 2), "anew at each call"
    assert calls == [7, 8]


def test_what_stands_first_is_left_out_where_nothing_uses_it() -> None:
    program = Program()
    raises = program.once(f"{program.constant(len)}(info)")
    program.line(f"return {raises}")
    program.forget_after(0)
    program.line("return v")
    assert program.source.splitlines() == ["def run(v, info):", " return v"]
    assert program.function()(3, None) == 3


def test_a_block_with_nothing_in_it_is_left_out() -> None:
    program = Program()
    with program.block_if_any("if v:"), program.block_if_any("if info:"):
        pass
    assert program.lines == []
    with program.block_if_any("if v:"):
        with program.block_if_any("if info:"):
            program.line("return 1")
        with program.block_if_any("if not info:"):
            pass
    program.line("return 2")
    assert program.lines == [" if v:", "  if info:", "   return 1", " return 2"]
    assert program.function()(1, 1) == 1


def test_what_was_read_for_nothing_is_taken_back() -> None:
    program = Program()
    program.line("a = v")
    before = len(program.lines)
    program.line("b = a")
    head = len(program.lines)
    program.forget_if_none_after(head, before)
    assert program.lines == [" a = v"]
    program.line("b = a")
    program.line("return b")
    program.forget_if_none_after(head, before)
    assert program.lines == [" a = v", " b = a", " return b"]


def test_a_block_ends_where_something_raises() -> None:
    program = Program()
    with pytest.raises(ValueError, match="within"), program.block_if_any("if v:"):
        raise ValueError("within")
    program.forget_after(0)
    program.line("return v")
    assert program.function()(3, None) == 3
