"""Whoever pastes an example gets what the README says: each is run, in order, against the demonstration."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from tests.browser.conftest import DESKTOP, MEILIN

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

PATIENCE = 20
ROOT = Path(__file__).parents[2]
EXPLORER = ROOT / "frontend/src/explorer"
ADDRESS = "localhost:8000"
ANYTHING = "…"
RESIDENT = "meizai-meicheng/resident-19"


class Example(NamedTuple):
    line: int
    language: str
    text: str


def examples(text: str) -> list[Example]:
    """Every fenced block; one without a language is a drawing."""
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Example(text[: each.start()].count("\n") + 1, each[1], each[2]) for each in found]


README = examples((ROOT / "README.md").read_text(encoding="utf-8"))
DRAWINGS = ["screen ─ castBallot"]


def test_it_shows_what_an_integrator_needs() -> None:
    text = "".join(example.text for example in README)
    for needed in ("query=", "mutation (", "subscription (", "connection_init", "--scope", "FORBIDDEN"):
        assert needed in text
    assert {example.language for example in README} == {*RUNNERS, "json", ""}
    drawings = [example.text for example in README if not example.language]
    assert [text.startswith(drawn) for text, drawn in zip(drawings, DRAWINGS, strict=True)] == [True]


# Where they are run


class Shell:
    """That of somebody who pastes: a folder with `.venv/bin/meilin`, and what was exported so far."""

    def __init__(self, server: Any, folder: Path) -> None:
        self.server, self.folder = server, folder
        (folder / ".venv/bin").mkdir(parents=True)
        self._script(folder / ".venv/bin/meilin", f"exec '{MEILIN}' \"$@\"")
        only_said = f"exec {shutil.which('make')} -C '{ROOT}' --dry-run \"$@\" >/dev/null"
        self._script(folder / "make", only_said)
        path = f"{folder}:{os.environ['PATH']}"
        self.environment = {**server.environment, "PATH": path}

    @staticmethod
    def _script(path: Path, command: str) -> None:
        path.write_text(f"#!/bin/bash\n{command}\n", encoding="utf-8")
        path.chmod(0o755)

    def here(self, text: str) -> str:
        return text.replace(ADDRESS, f"localhost:{self.server.port}")


@pytest.fixture(scope="module")
def shell(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(server, tmp_path_factory.mktemp("examples"))


# How each language is run


def run_sh(shell: Shell, text: str) -> str:
    """What it exports is there for the next one, as in the shell of whoever pastes."""
    keep = shell.folder / "exported"
    before = f". '{keep}'\n" if keep.exists() else ""
    script = f"set -euo pipefail\n{before}{shell.here(text)}\nexport -p > '{keep}'\n"
    done = subprocess.run(
        ["bash", "-c", script], cwd=shell.folder, env=shell.environment, capture_output=True,
        encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for line in re.findall(r'^declare -x (\w+)="(.*)"$', keep.read_text(encoding="utf-8"), re.MULTILINE):
        shell.environment.setdefault(*line)
    return done.stdout


def first_line_of(shell: Shell, command: list[str], cwd: Path) -> str:
    """It goes on until somebody stops it."""
    with subprocess.Popen(
        command, cwd=cwd, env=shell.environment, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        try:
            assert process.stdout
            return process.stdout.readline()
        finally:
            process.kill()


def run_python(shell: Shell, text: str) -> str:
    said = first_line_of(shell, [sys.executable, "-c", shell.here(text)], ROOT)
    assert "heads" in said
    return said


def run_js(shell: Shell, text: str) -> str:
    node = shutil.which("node")
    if node is None or not (ROOT / "frontend/node_modules/graphql-ws").exists():
        pytest.skip("no Node here, or not the page's packages")
    module = ["--experimental-websocket", "--input-type=module", "-e", shell.here(text)]
    said = first_line_of(shell, [node, *module], ROOT / "frontend")
    assert "signedUp" in said
    return said


def run_websocket(shell: Shell, text: str) -> str:
    """What is sent and what must come, line by line."""
    for name in ("TOKEN", "VOTE", "EVENT"):
        text = re.sub(rf"\${name}\b", shell.environment[name], text)
    address = f"ws://127.0.0.1:{shell.server.port}/graphql"
    with connect(address, subprotocols=["graphql-transport-ws"]) as line:  # type: ignore[list-item]
        for spoken in text.splitlines():
            direction, message = spoken.split(" ", 1)
            if direction == "→":
                line.send(json.dumps(json.loads(message)))
            else:
                assert direction == "←"
                assert_like(json.loads(line.recv(PATIENCE)), json.loads(message))
    return ""


RUNNERS = {"sh": run_sh, "python": run_python, "js": run_js, "websocket": run_websocket}


def assert_like(found: Any, expected: Any) -> None:
    """`…` stands for anything; what is left out of an object may be there."""
    if isinstance(expected, dict):
        assert isinstance(found, dict)
        for name, value in expected.items():
            assert_like(found[name], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_like(one, other)
    elif expected != ANYTHING:
        assert found == expected


def last_answer(said: str) -> Any:
    """Of the last command that printed one."""
    start = said.rfind('{"data"')
    start = said.rfind('{"errors"') if start < 0 else start
    return json.loads(said[start:]) if start >= 0 else None


def test_every_example_of_the_readme_runs_in_order_as_often_as_one_likes(
    shell: Shell,
) -> None:
    for _ in range(2):
        for index, (line, language, text) in enumerate(README):
            if language not in RUNNERS:
                continue
            said = RUNNERS[language](shell, text)
            answer = last_answer(said) if language == "sh" else None
            following = README[index + 1] if index + 1 < len(README) else None
            if following and following.language == "json":
                assert_like(answer, json.loads(following.text))
            elif answer is not None:
                assert "errors" not in answer, (line, answer)
                assert answer["data"], line


# The explorer


def test_the_explorer_says_what_to_type_and_each_of_its_tabs_runs(shell: Shell, open_page: Any) -> None:
    page = open_page("/graphiql", size=DESKTOP)
    box, who = page.get_by_label("令牌 Token"), page.get_by_role("status").first
    expect(page.get_by_text("meilin token meizai-meicheng/resident-2")).to_be_visible()
    expect(who).to_contain_text("未登录")
    box.fill("nonsense")
    box.press("Enter")
    expect(who).to_contain_text("令牌")
    box.fill(f"Bearer {shell.server.token(RESIDENT)}")
    box.press("Enter")
    expect(who).to_have_text(f"✓ {RESIDENT}")
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_count(len(sorted(EXPLORER.glob("examples/*.graphql"))) - 1)
    for index in range(tabs.count()):
        tabs.nth(index).click()
        page.get_by_role("button", name="Execute query").click()
        answer = page.locator(".result-window")
        expect(answer).to_contain_text('"data"')
        expect(answer).not_to_contain_text('"errors"')
        if page.get_by_role("button", name="Stop query").is_visible():  # it is live
            page.get_by_role("button", name="Stop query").click()
