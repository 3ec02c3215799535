"""What every mutation has in common: it needs an account, and its refusals name the input at fault."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry.extensions import FieldExtension

from community.errors import NotFound, Unauthenticated
from community.permissions import Person
from schema.context import Info
from schema.nodes import parse_id

_ARGUMENT = re.compile(r"(?<!^)(?=[A-Z])")
"""Where the name of an argument has its underscores in Python."""

Key: TypeAlias = Annotated[
    str | None,
    strawberry.argument(
        description="A word of the client's choice, up to 64 characters, that makes a retry safe:"
        " the same key with the same arguments returns the first result. With other"
        " arguments, or where that result no longer stands, it is KEY_REUSED."
        " 防止重复提交的编号，最多 64 字，同样的内容重发会得到第一次的结果。"
    ),
]


class _About(FieldExtension):
    """`subject`: the argument by which the thing is found that is to be changed.

    Mutations of one document run one after the other, each with what is selected below it: what one wrote is
    seen by all that is asked for behind it.
    """

    def __init__(self, subject: str) -> None:
        self.subject = subject

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **given: Any
    ) -> Any:
        if not isinstance(info.context.viewer, Person):
            raise Unauthenticated
        info.context.renew()
        try:
            return await next_(source, info, **given)
        except NotFound as refused:
            refused.field = refused.field or self.subject
            if refused.field == self.subject:
                refused.expected = self._expected(given)
            raise

    def _expected(self, given: Mapping[str, Any]) -> str | None:
        """Returns the type that the id should have, if it has another one: `voteId` is the id of a Vote."""
        wanted = self.subject[0].upper() + self.subject.removesuffix("Id")[1:]
        found, _ = parse_id(given[_ARGUMENT.sub("_", self.subject).lower()], self.subject)
        return None if found == wanted else wanted


def mutation(about: str, description: str) -> Any:
    """A nullable root field, so that each mutation of a document has its own result."""
    return strawberry.mutation(description=description, extensions=[_About(about)])
