"""What is told in Chinese, looked at whether it is."""

import re


def english_in(sentence: str) -> str | None:
    """What of a Chinese sentence is still English, beside names, values and what is quoted."""
    own = re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\{[^}]*\}", "", sentence)
    found = re.search(r"(?<![\w$])[a-z]+( [a-z]+){2,}", own)
    return found[0] if found else None
