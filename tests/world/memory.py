"""What tests write is in memory where there is enough of it: no test asks a disk to keep anything.

Whoever names a folder (`TMPDIR=/var/tmp pytest`) finds there afterwards what failing tests have written.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own in it
ENOUGH = 4 << 30
"""Bytes; three workers use a fourth of it."""

OURS = "meilin-tests-"


def _enough() -> bool:
    return os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH


def _sweep() -> None:
    """Takes what was left by runs that were killed."""
    for folder in MEMORY.glob(f"{OURS}*"):
        if not Path("/proc", folder.name.removeprefix(OURS)).exists():
            shutil.rmtree(folder, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    """Before anybody asks for a folder; workers are started with what this says."""
    if "TMPDIR" in os.environ or not _enough():
        return
    _sweep()
    folder = MEMORY / f"{OURS}{os.getpid()}"
    folder.mkdir(mode=0o755)  # PostgreSQL may be somebody else
    os.environ["TMPDIR"], tempfile.tempdir = str(folder), None
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
