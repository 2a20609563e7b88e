from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.product import Product, open_product


@pytest.fixture
async def product(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Product]:
    async with open_product(database_url, redis_url, tmp_path) as opened:
        yield opened
