"""Quarantined records are processed after their cause was fixed."""

import base64

import pytest

from jobtrack import aws
from jobtrack.domain.journal import packing
from jobtrack.push.dispatch.quarantine import QuarantineTable
from jobtrack.store.item_kinds import OUTBOX_RECORD
from jobtrack.store.outbox import KEPT_SECONDS
from jobtrack.store.ttl import encode_expiry
from scripts.requeue import requeue
from tests.pushing import JOB, NOW, Clock, after

pytestmark = pytest.mark.usefixtures("stack")


def test_what_was_quarantined_is_owed_anew_and_leaves_the_quarantine() -> None:
    dynamodb, clock = aws.client("dynamodb"), Clock()
    packed = packing.pack({"events": [1, 2]})
    for number in range(3):
        keys = {"pk": {"S": JOB.partition}, "sk": {"S": f"O#{number:012d}"}}
        image = {
            **keys,
            **OUTBOX_RECORD.stamp,
            "d": {"B": base64.b64encode(packed).decode()},
            "exp": encode_expiry(after(-1)),
        }
        change = {"SequenceNumber": str(number), "Keys": keys, "NewImage": image}
        QuarantineTable(dynamodb, "QuarantineTable", clock).put_record({"dynamodb": change}, ValueError("on purpose"))
    done = list(requeue(dynamodb, "JobsTable", "QuarantineTable", clock))
    assert sorted(done) == [f"O#{number:012d}" for number in range(3)]
    assert dynamodb.scan(TableName="QuarantineTable")["Items"] == []
    back = dynamodb.scan(TableName="JobsTable")["Items"]
    assert sorted(item["sk"]["S"] for item in back) == [f"O#{number:012d}#again{NOW}" for number in range(3)]
    assert all(bytes(item["d"]["B"]) == packed for item in back)
    assert all(item["exp"] == encode_expiry(after(KEPT_SECONDS)) for item in back)
