"""Bounds the size of variables, before anything else reads them."""

from collections.abc import Mapping
from typing import Any, Never

from community.errors import InvalidInput

MOST_VALUES = 1_000
"""Of every kind, in all variables of a request together: a ballot of a hundred questions has some 500."""

MOST_KEYS = 40
"""Of one object: a misspelt one is compared with every name that it might have been."""

DEEPEST = 8
LONGEST_PATH = 200


def check_variables(variables: Mapping[str, Any] | None) -> None:
    """Raises InvalidInput with the path at which they are too large; its time is bounded too."""
    values = 0
    waiting: list[tuple[str, object, int]] = [("", variables or {}, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if not isinstance(value, list | dict):
            continue
        values += len(value)
        if values > MOST_VALUES:
            _refuse(path, f"一共最多 {MOST_VALUES} 个值", f"at most {MOST_VALUES} values in all")
        if depth > DEEPEST:
            _refuse(path, f"最多嵌套 {DEEPEST} 层", f"at most {DEEPEST} levels")
        if isinstance(value, dict) and len(value) > MOST_KEYS:
            _refuse(path, f"一个对象最多 {MOST_KEYS} 个字段", f"at most {MOST_KEYS} fields of an object")
        steps = value.items() if isinstance(value, dict) else enumerate(value)
        waiting += [
            (f"{path}.{step}" if path else str(step), inner, depth + 1)
            for step, inner in steps
            if isinstance(inner, list | dict)
        ]


def _refuse(path: str, limit_zh: str, limit_en: str) -> Never:
    raise InvalidInput(
        problem_zh=f"变量太大，{limit_zh}",
        problem_en=f"the variables are too large: {limit_en}",
        field=path[:LONGEST_PATH] or None,
    )
