"""What comes as HTTP at random: documents in good requests, and heads and bodies that nobody should take."""

import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.stranger.documents import Request, Writer
from tests.stranger.town import Asker
from tests.stranger.wire import Drip, Expect, HalfClose, Pause, Reset, Script, Send, Step

METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT", "PRI", "get", "X" * 300, "")
TARGETS = (
    "/", "/graphql", "/graphql/", "//graphql", "/graphql?query={errorCodes}", "/graphql?query=" + "x" * 9000,
    "/c/quiet", "/c/quiet/ledger", "/c/%00", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/graphiql",
    "/health/live", "/health/ready", "/metrics", "/session", "*", "http://elsewhere.example/graphql",
    "/assets/../../pyproject.toml", "/\u202e".encode().decode("latin-1"), "/" + "a/" * 3000, "",
)  # fmt: skip
VERSIONS = ("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTTX", "")
TYPES = (
    "application/json", "application/json; charset=utf-8", "Application/JSON", "text/plain",
    "application/graphql",
    "multipart/form-data; boundary=x", "application/x-www-form-urlencoded",
    "application/json; charset=utf-16", "",
)  # fmt: skip


def head(method: str, target: str, headers: list[tuple[str, str]], version: str = "HTTP/1.1") -> bytes:
    lines = [f"{method} {target} {version}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", errors="replace")


def post(
    body: bytes, asker: Asker, host: str, *more: tuple[str, str], kind: str = "application/json"
) -> bytes:
    headers = [("Host", host), ("Content-Type", kind), ("Content-Length", str(len(body)))]
    return head("POST", "/graphql", [*headers, *asker.headers.items(), *more]) + body


def encoded(payload: Any) -> bytes:
    return json.dumps(payload).encode()


class HeadWriter:
    """Writes scripts for one connection each."""

    def __init__(self, writer: Writer, asker: Asker, host: str) -> None:
        self._writer, self._asker, self._host = writer, asker, host
        self.chance: random.Random = writer.chance

    def script(self) -> Script:
        name, make = self.chance.choice(list(WAYS.items()))
        return Script(name, make(self), self._asker.name)

    def asking(self, request: Request) -> Script:
        """A document, sent as it should be."""
        close = ("Connection", "close")
        sent = post(encoded(request.payload), self._asker, self._host, close)
        return Script(request.shape, [Send(sent), Expect(b"", 7.0)], self._asker.name)

    def _body(self) -> bytes:
        return encoded(self._writer.request().payload)

    def _post(self, *more: tuple[str, str]) -> bytes:
        return post(self._body(), self._asker, self._host, *more)

    # Ways

    def lines(self) -> list[Step]:
        """First lines that are odd in one place or more."""
        chance = self.chance
        method, target, version = chance.choice(METHODS), chance.choice(TARGETS), chance.choice(VERSIONS)
        headers = [("Host", self._host), *self._asker.headers.items(), *self._odd_headers()]
        chance.shuffle(headers)
        return [
            Send(head(method, target, headers, version)),
            Expect(b"\r\n\r\n", 0.4),
            HalfClose(),
            Expect(b"", 0.3),
        ]

    def _odd_headers(self) -> list[tuple[str, str]]:
        odd = [
            ("Host", "elsewhere.example"), ("Host", ""), ("X-Forwarded-For", "1.2.3.4"), ("Expect",
            "100-continue"),
            ("Accept", "application/graphql-response+json;q=" + "9" * 400), ("Accept", "*/*," * 2000),
            ("Cookie", "meilin_session=x; " * 100), ("Cookie", "meilin_session=\xff"), ("Authorization",
            "Bearer " + "x" * 7000),
            ("Authorization", "Basic eDp4"), ("Authorization", ""), ("Origin", "null"), ("Range",
            "bytes=0-0,1-1"),
            ("Content-Type", self.chance.choice(TYPES)), ("X y", "space"), ("X", "a\r\n folded"), ("X\x00",
            "zero"),
            ("Accept-Language", "zh;q=x"), ("If-Modified-Since", "yesterday"), ("Upgrade", "h2c"),
            ("Connection", "x, y"),
        ]  # fmt: skip
        return self.chance.sample(odd, self.chance.choice((0, 0, 1, 2, 5)))

    def lengths(self) -> list[Step]:
        """Lengths of the body that contradict each other or the body."""
        chance, body = self.chance, self._body()[:5000]
        wrong: list[list[tuple[str, str]]] = [
            [("Content-Length", str(len(body))), ("Content-Length", "0")],
            [("Content-Length", str(len(body))), ("Transfer-Encoding", "chunked")],
            [("Content-Length", "-1")], [("Content-Length", "9" * 30)], [("Content-Length", "1e3")], [],
            [("Content-Length", str(len(body) - 5))], [("Content-Length", str(len(body) + 50))],
            [("Content-Length", "262145")], [("Transfer-Encoding", "gzip, chunked")], [("Transfer-Encoding",
            "x")],
            [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "identity")],
        ]  # fmt: skip
        headers = [("Host", self._host), ("Content-Type", "application/json"), *self._asker.headers.items()]
        return [
            Send(head("POST", "/graphql", headers + chance.choice(wrong)) + body),
            Expect(b"\r\n\r\n", 0.3),
        ]

    def chunks(self) -> list[Step]:
        chance, body = self.chance, self._body()[:20_000]
        size = chance.choice((1, 7, 1000))
        pieces = [body[start : start + size] for start in range(0, min(len(body), size * 400), size)]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        wrong = (
            framed,
            framed,
            b"zz\r\n",
            b"-1\r\n",
            b"f" * 20 + b"\r\n",
            b"5;" + b"x" * 9000 + b"\r\nabcde\r\n",
            framed[:-5],
        )
        headers = [
            ("Host", self._host),
            ("Content-Type", "application/json"),
            ("Transfer-Encoding", "chunked"),
        ]
        sent = head("POST", "/graphql", [*headers, *self._asker.headers.items()]) + chance.choice(wrong)
        return [Send(sent), Expect(b"\r\n\r\n", 0.5)]

    def pipeline(self) -> list[Step]:
        """Several requests at once, of which perhaps nobody waits for the answers."""
        count = self.chance.choice((2, 5, 20))
        plain = head("GET", "/health/live", [("Host", self._host)])
        sent = b"".join(self.chance.choice((plain, self._post())) for _ in range(count))
        last = post(b'{"query":"{errorCodes}"}', self._asker, self._host, ("Connection", "close"))
        return [Send(sent + last), *self.chance.choice(([Expect(b"", 4.0)], [Pause(0.02), Reset()]))]

    def drip(self) -> list[Step]:
        whole = self._post(("Connection", "close"))[:3000]
        return [
            Drip(whole, max(20, len(whole) // 20), 0.02),
            self.chance.choice((Expect(b"\r\n\r\n", 0.3), Reset())),
        ]

    def half(self) -> list[Step]:
        """Ends before its end, at a place of chance."""
        whole = self._post()
        cut = self.chance.randrange(len(whole) + 1)
        ends: list[list[Step]] = [[HalfClose(), Expect(b"", 0.3)], [Reset()], [Pause(0.1)]]
        return [Send(whole[:cut]), *self.chance.choice(ends)]

    def silent(self) -> list[Step]:
        return [Pause(self.chance.choice((0.0, 0.05, 0.3)))]

    def many_headers(self) -> list[Step]:
        """More of them, or longer ones, than anybody sends; some never come to their end."""
        count, size = self.chance.choice(
            ((90, 10), (300, 100), (3, 20_000), (1, 200_000), (2000, 8), (400, 2000))
        )
        headers = [("Host", self._host), *((f"X-{number}", "y" * size) for number in range(count))]
        sent = head("GET", "/health/live", headers)
        return [Send(sent if self.chance.random() < 0.5 else sent[:-4]), Expect(b"\r\n\r\n", 0.5)]

    def long_target(self) -> list[Step]:
        size = self.chance.choice((4000, 33_000, 300_000))
        target = self.chance.choice(
            ("/c/" + "x" * size, "/graphql?query=" + quote("{errorCodes}#" + "字" * (size // 9)))
        )
        return [Send(head("GET", target, [("Host", self._host)])), Expect(b"\r\n\r\n", 0.5)]

    def get(self) -> list[Step]:
        """A document in the address, an action among them."""
        request = self._writer.request()
        target = "/graphql?query=" + quote(request.query.encode(errors="replace"))[:20_000]
        if request.variables is not None:
            target += "&variables=" + quote(json.dumps(request.variables))[:5000]
        sent = head(
            "GET", target, [("Host", self._host), *self._asker.headers.items(), ("Connection", "close")]
        )
        return [Send(sent), Expect(b"", 4.0)]

    def envelopes(self) -> list[Step]:
        """Bodies that are no request, in every dress."""
        query: dict[str, Any] = {"query": "{errorCodes}"}
        deep = b"[" * 20_000
        wrong = [
            b"", b"null", b"[]", b"1", b'"x"', b"{", b"{}", deep, b'{"a":' * 3000, b"\xff\xfe", b"\x00" * 100,
            b"9" * 6000,
            encoded([query] * 50), encoded({"query": None}), encoded({"query": 1}),
            encoded({"query": ["{a}"]}),
            encoded(query | {"variables": []}), encoded(query | {"variables": "{}"}),
            encoded(query | {"operationName": 1}),
            encoded(query | {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "x"}}}),
            encoded(query | {f"k{number}": number for number in range(3000)}),
            b'{"query":"\\ud800{errorCodes}"}',
            b'{"query":"{errorCodes}","query":"{viewer{account}}"}',
            b'{"query":"{a}","variables":{"a":1e999}}',
            b'{"query":"' + b"x" * 262_144 + b'"}', b"x" * 300_000,
        ]  # fmt: skip
        kind = "application/json" if self.chance.random() < 0.6 else self.chance.choice(TYPES)
        sent = post(self.chance.choice(wrong), self._asker, self._host, ("Connection", "close"), kind=kind)
        return [Send(sent), Expect(b"", 2.0)]

    def sessions(self) -> list[Step]:
        """Signing in as nobody, and out."""
        body = self.chance.choice(
            (b'{"account":"nobody"}', b'{"account":1}', b"[", b'{"account":"' + b"x" * 9000 + b'"}')
        )
        length = ("Content-Length", str(len(body)))
        target = "/session"
        method = self.chance.choice(("POST", "DELETE", "GET"))
        headers = [
            ("Host", self._host),
            ("Content-Type", "application/json"),
            length,
            ("Connection", "close"),
        ]
        return [Send(head(method, target, headers) + body), Expect(b"", 2.0)]


Way = Callable[[HeadWriter], list[Step]]
WAYS: dict[str, Way] = {
    way.__name__: way
    for way in (
        HeadWriter.lines, HeadWriter.lengths, HeadWriter.chunks, HeadWriter.pipeline, HeadWriter.drip,
        HeadWriter.half,
        HeadWriter.silent, HeadWriter.many_headers, HeadWriter.long_target, HeadWriter.get,
        HeadWriter.envelopes,
        HeadWriter.sessions,
    )
}  # fmt: skip
