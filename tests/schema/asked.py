"""What is really asked of the schema: the page's own operations, with the fragments that they need."""

import re
from functools import cache
from pathlib import Path

from graphql import FragmentDefinitionNode, FragmentSpreadNode, Node, Visitor, parse, visit

PAGE = Path(__file__).parents[2] / "frontend" / "src"


class _Spreads(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.names.add(node.name.value)


def _spread_in(node: Node) -> set[str]:
    found = _Spreads()
    visit(node, found)
    return found.names


@cache
def page_operations() -> dict[str, str]:
    """By name, each as the browser sends it."""
    texts = [
        text
        for file in sorted([*PAGE.rglob("*.ts"), *PAGE.rglob("*.svelte")])
        for text in re.findall(r"graphql\(\s*`(.*?)`", file.read_text(encoding="utf-8"), re.DOTALL)
    ]
    nodes = [node for text in texts for node in parse(text).definitions]
    sources = {id(node): node.loc.source.body[node.loc.start : node.loc.end] for node in nodes if node.loc}
    fragments = {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
    operations = {}
    for node in nodes:
        if isinstance(node, FragmentDefinitionNode):
            continue
        needed: dict[str, FragmentDefinitionNode] = {}
        left = _spread_in(node)
        while left:
            name = left.pop()
            if name not in needed:
                needed[name] = fragments[name]
                left |= _spread_in(fragments[name])
        text = "\n".join(sources[id(each)] for each in (node, *needed.values()))
        operations[node.name.value] = text  # type: ignore[attr-defined]
    return operations
