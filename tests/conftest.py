"""Provide the event loop that Mangum expects in the current thread, as Lambda does, and close it afterwards."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.dispositions import hand_down_defaults

# Tests measure no time: how long an example takes depends on what else the machine does.
settings.register_profile("jobtrack", deadline=None)
settings.load_profile("jobtrack")


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
