"""Mangum runs on the thread's current event loop, as Lambda leaves it to: here it finds one, and none is left open."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.dispositions import hand_down_defaults


def pytest_configure(config: pytest.Config) -> None:
    hand_down_defaults()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    config.add_cleanup(loop.close)


@pytest.fixture(autouse=True)
def event_loop() -> Iterator[None]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
