from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.town import Town


@pytest.fixture
async def town(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """Two application processes behind one door."""
    async with Town(database_url, redis_url, tmp_path) as opened:
        yield opened
