"""Clients of others, as processes of Node that say what happens to them: an object a line, of one name."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import pytest

FRONTEND = Path(__file__).parents[2] / "frontend"
"""Where the packages are that they import."""

Listen: TypeAlias = Callable[[str], Awaitable[Any]]


@asynccontextmanager
async def node(script: str, *arguments: str, needs: str) -> AsyncIterator[Listen]:
    """Call what it gives for the next thing of that name that the script says. Skips without the package that
    it `needs`.
    """
    program = shutil.which("node")
    if program is None or not (FRONTEND / "node_modules" / needs).exists():
        pytest.skip("no Node here, or not the page's packages")
    process = await asyncio.create_subprocess_exec(
        program, "--input-type=module", "-e", script, *arguments,
        cwd=FRONTEND, stdout=asyncio.subprocess.PIPE, limit=2**20,
    )  # fmt: skip
    assert process.stdout
    said = process.stdout

    async def listen(name: str) -> Any:
        async with asyncio.timeout(30):
            while line := await said.readline():
                if name in (what := json.loads(line)):
                    return what[name]
        raise AssertionError(f"it ended without {name}")

    try:
        yield listen
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
