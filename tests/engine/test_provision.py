"""A data folder whose tables and queues were created from another release's template."""

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.session import Session

from jobtrack import aws
from jobtrack_local.engine import provision
from jobtrack_local.engine.sqlite.engine import SqliteEngine
from jobtrack_local.errors import LocalError
from jobtrack_local.template import template
from jobtrack_local.template.cloudformation import TableProperties
from jobtrack_local.template.template import Template

PLAN = template.load()
QUEUE, TABLE = "DeliveryQueue", "JobsTable"


@pytest.fixture(autouse=True)
def attached(clients: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "session", lambda: clients)


def with_queue(**settings: Any) -> Template:
    changed = PLAN.queues[QUEUE].model_copy(update=settings)
    return replace(PLAN, queues={**PLAN.queues, QUEUE: changed})


def with_table(**settings: Any) -> Template:
    changed = PLAN.tables[TABLE].model_copy(update=settings)
    return replace(PLAN, tables={**PLAN.tables, TABLE: changed})


def stored(plan: Template) -> dict[str, str]:
    """Return the queue's attributes in a folder that this template has just used."""
    url = provision.provision(plan).refs[QUEUE]
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return {str(name): value for name, value in attributes.items()}


def test_settings_of_a_queue_become_those_of_the_template() -> None:
    policy = PLAN.queues[QUEUE].redrive_policy
    assert policy is not None
    before = stored(with_queue(redrive_policy=policy.model_copy(update={"max_receive_count": 99})))
    assert json.loads(before["RedrivePolicy"])["maxReceiveCount"] == 99
    assert stored(with_queue(visibility_timeout=77))["VisibilityTimeout"] == "77"
    assert "RedrivePolicy" not in stored(with_queue(redrive_policy=None))
    after = stored(PLAN)
    assert after["VisibilityTimeout"] == str(PLAN.queues[QUEUE].visibility_timeout)
    assert json.loads(after["RedrivePolicy"])["maxReceiveCount"] == policy.max_receive_count


def test_changed_settings_are_stored(engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(with_queue(visibility_timeout=77))
    stored(PLAN)
    (text,) = engine.database.reader.execute(
        "SELECT attributes FROM queues WHERE name = ?", (provision.PREFIX + QUEUE,)
    ).fetchone()
    assert json.loads(text)["VisibilityTimeout"] == str(PLAN.queues[QUEUE].visibility_timeout)
    monkeypatch.setattr(engine.sqs, "set_queue_attributes", None)  # equal settings are not written again
    stored(PLAN)


def key(table: TableProperties) -> Any:
    return list(reversed([{**each, "KeyType": other} for each, other in zip(table.key_schema, OTHER, strict=True)]))


OTHER = ("RANGE", "HASH")
JOBS = PLAN.tables[TABLE]


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"key_schema": key(JOBS)}, "key"),
        ({"global_secondary_indexes": []}, "set of indexes"),
        ({"stream_specification": None}, "stream"),
    ],
)
def test_a_table_that_differs_is_one_clear_line(settings: dict[str, Any], part: str) -> None:
    provision.provision(with_table(**settings))
    with pytest.raises(LocalError) as refused:
        provision.provision(PLAN)
    assert str(refused.value) == (
        f"the data are of another version of jobtrack: the table {provision.PREFIX}{TABLE} has another {part};"
        " use another folder with --data"
    )
