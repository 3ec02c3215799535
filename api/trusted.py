"""The documents that the page was built with, which a GET may name by id (GraphQL over HTTP, appendix A)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from api.page import BUILT
from community.errors import DocumentUnknown, InvalidInput

DOCUMENTS = BUILT / "documents.json"
"""Written by frontend/documents.ts."""


class Trusted:
    """`texts`: by id, `sha256:` and the digest in hexadecimal digits."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)

    @classmethod
    def built(cls, file: Path = DOCUMENTS) -> "Trusted":
        """Those of the page; none before it is built."""
        return cls(orjson.loads(file.read_bytes()) if file.exists() else {})

    def text_of(self, document_id: str) -> str | None:
        return self._texts.get(document_id)

    def with_text(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a request, with the text of the document that they name. Raises DocumentUnknown,
        and InvalidInput if there is a text already.
        """
        given = dict(parameters)
        if (document_id := given.pop("documentId", None)) is None:
            return given
        if "query" in given:
            raise InvalidInput(
                problem_zh="query 和 documentId 只写一个", problem_en="documentId stands for query"
            )
        if (text := self.text_of(document_id)) is None:
            raise DocumentUnknown
        return given | {"query": text}
