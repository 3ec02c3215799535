"""Whether the viewer may do an action now, told before it is tried."""

from collections.abc import Callable

import strawberry

from community.errors import ErrorCode, Refused


@strawberry.type(
    description="Whether the viewer may do something now, and if not, what would be answered: so"
    " that a page draws a button only for those who may press it. It holds for the moment"
    " in which it is told; the deed itself is checked again."
    " 现在能不能办，不能的话是什么原因。"
)
class Eligibility:
    allowed: bool = strawberry.field(
        description="True where the deed would pass now, its input given right. 现在能不能办。"
    )
    code: ErrorCode | None = strawberry.field(
        description="As in `extensions.code` of the refusal that a try would get; null where it is"
        " allowed."
        " 不能办的错误代码，能办为 null。"
    )
    zh: str | None = strawberry.field(
        description="Why not, in a Chinese sentence for residents; null where it is allowed."
        " 不能办的原因（中文），能办为 null。"
    )
    en: str | None = strawberry.field(
        description="Why not, in an English sentence for residents; null where it is allowed."
        " 不能办的原因（英文），能办为 null。"
    )

    @classmethod
    def after(cls, *checks: Callable[[], object]) -> "Eligibility":
        """What the first of the checks says that refuses."""
        try:
            for check in checks:
                check()
        except Refused as refusal:
            return cls(allowed=False, code=refusal.code, zh=refusal.zh, en=refusal.en)
        return cls(allowed=True, code=None, zh=None, en=None)
