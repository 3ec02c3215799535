"""graphql-core awaits nothing more of an object that an error has made null, and neither do we."""

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture
def nothing_left_unawaited() -> Iterator[None]:
    """What a test leaves is collected with it, so that no later one is warned of it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        yield
        gc.collect()
