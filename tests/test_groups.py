"""Tests of one group run in one worker; pytest-xdist alone does not see to it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
import os
from pathlib import Path
import pytest

def note(name):
    with Path(__file__).with_name(name).open("a") as file:
        print(os.environ["PYTEST_XDIST_WORKER"], file=file)

@pytest.fixture
def server():
    pass

@pytest.mark.xdist_group("marked")
@pytest.mark.parametrize("number", range(12))
def test_marked(number):
    note("marked")

@pytest.mark.parametrize("number", range(12))
def test_sharing(number, server):
    note("sharing")
"""


def workers(folder: Path, *arguments: str) -> list[int]:
    """In how many the marked tests ran, and in how many those that share a server."""
    (folder / "test_them.py").write_text(TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "2",
        "--dist",
        "loadgroup",
        *arguments,
        str(folder),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert "24 passed" in done.stdout, done.stdout
    return [len(set((folder / name).read_text().split())) for name in ("marked", "sharing")]


def test_a_group_and_those_who_share_a_server_have_one_worker_each(tmp_path: Path) -> None:
    assert workers(tmp_path, "-p", "tests.world.groups") == [1, 1]


def test_xdist_alone_still_groups_nothing(tmp_path: Path) -> None:
    """pytest-xdist#1386"""
    if workers(tmp_path)[0] == 1:
        pytest.fail("pytest-xdist does it right by now: marks are enough in tests/world/groups.py")
