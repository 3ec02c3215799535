"""A journal with an audience of its own and a state with another right, without a change of the machinery."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry

