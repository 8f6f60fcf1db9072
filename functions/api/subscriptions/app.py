"""`POST …/job/{jobId}/subscribe`: a receiver wants to be told."""

from typing import Annotated

from fastapi import Depends, Request, Response

from jobtrack import aws
from jobtrack.api import answer, create_router, idempotency, job_key, lambda_handler
from jobtrack.push.requests import SubscribeRequest
from jobtrack.push.secrets import Vault
from jobtrack.push.subscriber import Subscriber
from jobtrack.settings import Settings
from jobtrack.store.idempotency import Idempotency
from jobtrack.store.listeners import ListenerStore
from jobtrack.store.snapshots import Listener

settings = Settings.from_env()
listeners = ListenerStore(aws.client("dynamodb"), settings.jobs_table)
vault = Vault(aws.client("kms"), settings.secrets_key_id)
subscriber = Subscriber(vault, settings.allowed_webhook_ports, settings.allow_loopback_webhooks)
router = create_router()


@router.post("/job/{jobId}/subscribe", status_code=201)
def subscribe(
    request: Request, wanted: SubscribeRequest, key: Annotated[Idempotency | None, Depends(idempotency)]
) -> Response:
    """Push the job's events to the receiver from now on."""
    job = job_key(request)
    made = subscriber.make(job, wanted)
    kept = subscriber.kept(made)
    first = listeners.add(
        job,
        made.subscription_id,
        Listener(made.expires_at, made.interests()),
        made.creation(settings.subscriptions_table),
        kept,
        key,
    )
    headers = {"Idempotency-Replayed": "true"} if first else {}
    return answer(subscriber.revealed(job, first or kept), 201, headers)


handler = lambda_handler(router)
