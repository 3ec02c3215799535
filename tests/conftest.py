"""What every test may ask for is declared in `tests/world/`, one idea a file.

`MEILIN_COMPILED=off pytest` runs all of them without compiled completion, in processes of their own, too.
"""

import os

from schema.executor import AcyclicExecutor
from schema.schema import graphql_schema

if os.environ.get("MEILIN_COMPILED") == "off":
    graphql_schema.execution_context_class = AcyclicExecutor

pytest_plugins = [  # each after those that it imports
    "tests.world.memory",
    "tests.world.groups",
    "tests.world.databases",
    "tests.world.town",
    "tests.world.server",
    "tests.world.house",
]
