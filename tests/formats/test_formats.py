"""Data that earlier releases stored: today's service reads all of them, and goes on with them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from jobtrack.store.item_kinds import KINDS, kind_of
from tests.e2e.receiving import answered, until
from tests.e2e.reporting import event
from tests.formats import folder
from tests.formats.__main__ import END
from tests.formats.project import KEY, QUEUED_BODY, RUNNING, World, serving

FIXTURES = sorted(folder.FOLDERS.iterdir())


@pytest.fixture(params=FIXTURES, ids=lambda path: path.name)
def fixture(request: pytest.FixtureRequest) -> Path:
    """Return each fixture folder."""
    return Path(request.param)


def test_a_fixture_has_every_kind_of_item(fixture: Path, tmp_path: Path) -> None:
    tables = folder.items(folder.copy(fixture, tmp_path / "data"))
    kinds = [kind_of(table, item) for table, items in tables.items() for item in items]
    assert None not in kinds
    assert {*kinds} == {*KINDS}


def test_the_service_goes_on_with_the_data(fixture: Path, tmp_path: Path) -> None:
    stored = folder.read_answers(fixture)
    kept, refused, _ = stored["subscriptions"]
    with serving(folder.copy(fixture, tmp_path / "data"), END) as world:
        assert world.read(stored["subscriptions"]) == stored["answers"]
        world.receiver.refusing = False
        world.at(END + 10)
        assert_signed(world, "milestone", stored["secrets"][refused])
        world.at(END + 120)
        until(lambda: answered(world.api.get(f"/job/{RUNNING}"))["stalled"])
        assert_signed(world, "jobStalled", stored["secrets"][kept])
        world.report(RUNNING, event("stageCompleted"), event("jobCompleted"))
        assert_signed(world, "jobCompleted", stored["secrets"][kept])
        assert answered(world.api.get(f"/job/{RUNNING}"))["status"] == "Completed"
        again = world.api.post("/jobs", json=QUEUED_BODY, headers=KEY)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")


def assert_signed(world: World, kind: str, secret: str) -> None:
    """Wait for a message of a type, and check its signature."""
    until(lambda: _requests(world, kind))
    headers, body = _requests(world, kind)[-1]
    sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert Webhook(secret).sign(headers["webhook-id"], sent_at, body.decode()) in headers["webhook-signature"].split()


def _requests(world: World, kind: str) -> list[tuple[Mapping[str, str], bytes]]:
    return [(headers, body) for headers, body in world.receiver.requests if json.loads(body)["type"] == kind]
