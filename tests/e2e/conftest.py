"""End to end: the suite runs against one `jobtrack serve`, on the engine that `--engine` names."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.running import Service, running


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", default="ministack", choices=["ministack", "dynamodb-local"])


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> str:
    """The engine that the suite runs on."""
    return str(pytestconfig.getoption("--engine", "ministack"))


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a signing key that all services of the session share."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def service(engine: str, home: Path) -> Iterator[Service]:
    """A service in memory, shared by the session."""
    with running(home, engine) as found:
        yield found


@pytest.fixture
def api(service: Service) -> Iterator[httpx.Client]:
    """A client of a tenant and project of the test's own."""
    with service.client() as client:
        yield client
