"""What is left to the garbage collector, which a server lets look rarely."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from graphql.language.printer import PrintBuffer


@contextmanager
def leftovers() -> Iterator[list[object]]:
    """Collects what only the collector would find of whatever is done inside; the list is full behind it.

    Without the buffers of graphql-core's printer, each of which refers to itself and to a line of text.
    """
    found: list[object] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        buffers = [each for each in gc.garbage if isinstance(each, PrintBuffer)]
        printed = {id(each) for each in (*buffers, *gc.get_referents(*buffers))}
        found += [each for each in gc.garbage if id(each) not in printed]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
