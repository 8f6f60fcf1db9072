"""Writes items from several threads until it is killed, and prints each one that was acknowledged.

python -m tests.engine.writer FOLDER
"""

import sys
import threading
from pathlib import Path
from typing import Any

from jobtrack_local.engine.sqlite.engine import SqliteEngine
from tests.engine.conftest import session
from tests.engine.operations import DEFINITION, TABLE

THREADS = 4


def main(folder: Path) -> None:
    """Write without end."""
    engine, attached = SqliteEngine(folder), session()
    engine.attach(attached)
    dynamodb: Any = attached.create_client("dynamodb")
    sqs: Any = attached.create_client("sqs")
    dynamodb.create_table(**DEFINITION)
    url = sqs.create_queue(QueueName="messages")["QueueUrl"]
    lock = threading.Lock()

    def write(name: str) -> None:
        for number in range(1_000_000):
            text = f"{number:07d}"
            dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": name}, "sk": {"S": text}})
            sqs.send_message(QueueUrl=url, MessageBody=f"{name} {text}")
            with lock:
                print(name, text, flush=True)

    for index in range(THREADS):
        threading.Thread(target=write, args=(f"thread-{index}",)).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
