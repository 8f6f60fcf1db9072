"""Deploy template.yaml on ministack: `python -m tests.deployed serve …`, with the interface of `jobtrack serve`."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

from jobtrack_client import profiles
from jobtrack_local.engine import provision
from jobtrack_local.pollers.scheduler import INTERVAL_VARIABLE
from jobtrack_local.runtime.events import scheduled_event
from jobtrack_local.template import template
from jobtrack_local.tokens import load_signing_key
from scripts import ministack
from tests.deployed.document import REGION, Place
from tests.deployed.issuer import issuing
from tests.deployed.stack import Stack

SERVICES = "apigateway,cloudformation,dynamodb,dynamodbstreams,iam,kms,lambda,logs,monitoring,s3,scheduler,sqs,sts"
ENVIRONMENT = {
    "MINISTACK_HOST": "localhost",
    "LAMBDA_EXECUTOR": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",  # emulators do not support an account id in the host name
    "NO_PROXY": "localhost,127.0.0.1",
}
ORIGIN = "https://console.example"
"""The origin whose pages may call the API."""


def main() -> None:
    """Deploy, print the URL, and serve until a signal arrives."""
    over = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: over.set())
    key = load_signing_key(profiles.home()).public_key()
    with issuing(key) as issuer, ministack.running(SERVICES, **ENVIRONMENT) as engine:
        place = Place(urlsplit(engine.url()).port or 0, issuer)
        stack = Stack(place.engine)
        stack.create(place, {**provision.PARAMETERS, "JwtIssuer": issuer, "CorsOrigins": ORIGIN})
        print(f"jobtrack serves at {place.api}", flush=True)
        with _hurried(stack, over):
            while engine.running and not over.wait(0.5):
                pass
        sys.exit(0 if engine.running else 1)


@contextmanager
def _hurried(stack: Stack, over: threading.Event) -> Iterator[None]:
    """Call the scheduled functions at the interval `JOBTRACK_SCHEDULE_SECONDS`, if it is set."""
    if INTERVAL_VARIABLE not in os.environ:
        yield
        return
    seconds, names, functions = float(os.environ[INTERVAL_VARIABLE]), stack.names(), stack.client("lambda")
    scheduled = [name for name, _ in template.load().schedules]

    def call() -> None:
        while not over.wait(seconds):
            for name in scheduled:
                event = scheduled_event(name, datetime.now(UTC))
                functions.invoke(FunctionName=names[name], Payload=json.dumps(event).encode())

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
