"""What every test may ask for is declared in `tests/world/`, one idea a file."""

pytest_plugins = [  # each after those that it imports
    "tests.world.databases",
    "tests.world.town",
    "tests.world.server",
    "tests.world.house",
]
