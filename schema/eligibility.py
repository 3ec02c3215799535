"""Whether the viewer may do a deed now, told before anybody tries it."""

from collections.abc import Callable

import strawberry

from community.errors import ErrorCode, Refused


@strawberry.type(
    description="Whether the viewer may do something now, and if not, what would be answered: so that a page"
    " draws a button only for those who may press it (能不能办，为什么不能). It holds for the moment in"
    " which it is told; the deed itself is checked again."
)
class Eligibility:
    allowed: bool = strawberry.field(description="The deed would pass now, its input given right.")
    code: ErrorCode | None = strawberry.field(
        description="As in `extensions.code` of the refusal that a try would get; null where it is allowed."
    )
    zh: str | None = strawberry.field(description="Why not, in Chinese; null where it is allowed.")
    en: str | None = strawberry.field(description="Why not, in English; null where it is allowed.")

    @classmethod
    def after(cls, *checks: Callable[[], None]) -> "Eligibility":
        """What the first of the checks says that refuses."""
        try:
            for check in checks:
                check()
        except Refused as refusal:
            return cls(allowed=False, code=refusal.code, zh=refusal.zh, en=refusal.en)
        return cls(allowed=True, code=None, zh=None, en=None)
