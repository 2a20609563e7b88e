"""The whole product behind the page; a test that needs more around either says so itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.scenarios.browser.conftest import watched_page

from .product_page import ProductPage, open_product_page


@pytest.fixture
async def product(browser: Browser, database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[ProductPage]:
    async with open_product_page(database_url, redis_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def page(browser: Browser, product: ProductPage) -> AsyncIterator[Page]:
    async with watched_page(browser, product.url) as page:
        yield page
