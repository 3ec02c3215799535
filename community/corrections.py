"""Corrections of what was published: who may make one, and which are refused."""

from collections.abc import Mapping, Sequence

from community.errors import InvalidInput
from community.permissions import Permission, Viewer, is_operator, organizations_for

MOST_CORRECTIONS = 20
"""Of one subject: whoever must correct more says it anew."""


def signers(viewer: Viewer, permission: Permission, community: int, signing: Sequence[int]) -> list[int]:
    """Those of these `signing` organizations for which the viewer may mend what they published by the
    permission: it has that through them; an operator has it for all.
    """
    own, anybody = organizations_for(viewer, permission, community), is_operator(viewer, community)
    return [one for one in signing if anybody or one in own]


def signer(theirs: Sequence[int]) -> int:
    """The one of these `signers` in whose name it is mended. Raises InvalidInput where there is none."""
    if not theirs:
        raise InvalidInput(
            problem_zh="只有署名单位自己的人能更正或撤下",
            problem_en="only the organization that signed it may correct or withdraw it",
        )
    return theirs[0]


def check_correction(before: Mapping[str, object], words: Mapping[str, object], corrections: int) -> None:
    """Raises InvalidInput where `words` say the same as `before`, or where there were MOST_CORRECTIONS."""
    if all(before[name] == word for name, word in words.items()):
        raise InvalidInput(
            problem_zh="和原来的一样，没有要更正的", problem_en="it says so already", field="correction"
        )
    if corrections >= MOST_CORRECTIONS:
        raise InvalidInput(
            problem_zh=f"已经更正了 {MOST_CORRECTIONS} 次，请重新发布一份",
            problem_en=f"it was corrected {MOST_CORRECTIONS} times; please publish it anew",
        )
