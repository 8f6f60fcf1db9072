"""Creates a job together with the subscriptions that its request asks for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from jobtrack.domain.job import Job, Json
from jobtrack.errors import Fault, JobTrackError, Unprocessable
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.subscription_factory import NewSubscription, SubscriptionFactory
from jobtrack.push.subscriptions.subscription_spec import SubscriptionSpec
from jobtrack.store.batch_writes import delete_items, put_items
from jobtrack.store.dependencies import DependencyStore
from jobtrack.store.idempotency import Idempotency
from jobtrack.store.job_queue import QueueReader
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import Listener, Snapshot
from jobtrack.views.job import created_job

if TYPE_CHECKING:
    from jobtrack.views.responses import job_creation as responses


class NewJob(Struct, frozen=True):
    """A job to create.

    Args:
        key: the key of the job.
        job: the job, queued.
        fingerprint: the hash of the request body; a request with the same job id and fingerprint is the same request.
        relations: prerequisites, resources and blocking conditions, as they are stored.
        subscriptions: the subscriptions to create with it.
        project_path: path of the project in the API, for the links of the response.
    """

    key: JobKey
    job: Job
    fingerprint: str
    relations: Json
    subscriptions: Sequence[SubscriptionSpec]
    project_path: str

    @property
    def prerequisites(self) -> list[str]:
        """The ids of the jobs that the job waits for."""
        return [job_id for job_id, _ in self.relations.get("prerequisites", ())]


class JobCreator(Struct, eq=False):
    """Creates jobs in the jobs table, and their subscriptions in the subscriptions table."""

    jobs: JobStore
    subscriptions_table: str
    factory: SubscriptionFactory

    def create_job(self, new_job: NewJob, idempotency: Idempotency | None = None) -> "tuple[responses.NewJob, bool]":
        """Create the job; return the response, and whether it is that of an earlier request.

        Raises:
            Unprocessable: a prerequisite does not exist, or a subscription is not possible.
            Conflict: another request created a job with this id.
            IdempotencyMismatch: the key was used for another job.
        """
        self._require_prerequisites(new_job)
        subscriptions = [
            self.factory.create(new_job.key, spec, f"/subscriptions/{index}")
            for index, spec in enumerate(new_job.subscriptions)
        ]
        response = self._response(new_job, subscriptions)
        response, replayed = self._write(new_job, subscriptions, response, idempotency)
        return self._reveal_secrets(new_job.key, response), replayed

    def _require_prerequisites(self, new_job: NewJob) -> None:
        missing = self._dependencies.find_missing(new_job.key, new_job.prerequisites)
        faults = [
            Fault(f"/prerequisites/{index}/jobId", "does not exist in this project")
            for index, job_id in enumerate(new_job.prerequisites)
            if job_id in missing
        ]
        if faults:
            raise Unprocessable("Some prerequisites do not exist in this project.", faults)

    def _response(self, new_job: NewJob, subscriptions: Sequence[NewSubscription]) -> Json:
        """The response as it is stored: the subscriptions' secrets are sealed."""
        position = QueueReader(self.jobs.dynamodb, self.jobs.table).read_next_position(new_job.key.owner, new_job.job)
        sealed = [self.factory.sealed_response(subscription) for subscription in subscriptions]
        return {**created_job(new_job.job, position, new_job.project_path), "subscriptions": sealed}

    def _write(
        self, new_job: NewJob, subscriptions: Sequence[NewSubscription], response: Json, idempotency: Idempotency | None
    ) -> tuple[Json, bool]:
        """Write the job, or return the first response. If the job is not written, delete its subscriptions."""
        key, expires = new_job.key, self.jobs.retention.item_expiry(new_job.job.created_at)
        snapshot = Snapshot(key, 0, new_job.job, listeners=_listeners(subscriptions))
        actions = list(self._dependencies.creation_actions(key, new_job.relations, expires))

        def write_ahead() -> None:
            """Write items that do not fit into a transaction of 100 items. They are not read until the job exists."""
            self._dependencies.put_edges(key, new_job.prerequisites, expires)
            self._put_subscriptions(subscriptions)

        try:
            response, replayed = self.jobs.create(
                snapshot, new_job.fingerprint, response, idempotency, actions, write_ahead
            )
        except JobTrackError:
            self._delete_subscriptions(subscriptions)
            raise
        stored = {subscription["subscriptionId"] for subscription in response["subscriptions"]}
        self._delete_subscriptions([new for new in subscriptions if new.subscription.subscription_id not in stored])
        return response, replayed

    def _put_subscriptions(self, subscriptions: Sequence[NewSubscription]) -> None:
        """Put all subscriptions. If that fails, delete those that were put."""
        try:
            put_items(self.jobs.dynamodb, self.subscriptions_table, _items(subscriptions))
        except Exception:
            self._delete_subscriptions(subscriptions)
            raise

    def _delete_subscriptions(self, subscriptions: Sequence[NewSubscription]) -> None:
        keys = [{name: item[name] for name in ("pk", "sk")} for item in _items(subscriptions)]
        delete_items(self.jobs.dynamodb, self.subscriptions_table, keys)

    def _reveal_secrets(self, key: JobKey, response: Json) -> "responses.NewJob":
        """The response with opened secrets. It has the job's id, which a repeated request may lack."""
        job = key.job_key(response["jobId"])
        revealed = [self.factory.reveal_subscription(job, subscription) for subscription in response["subscriptions"]]
        return cast("responses.NewJob", {**response, "subscriptions": revealed})

    @property
    def _dependencies(self) -> DependencyStore:
        return DependencyStore(self.jobs.dynamodb, self.jobs.table)


def _items(subscriptions: Sequence[NewSubscription]) -> list[dict[str, Any]]:
    """The items of new subscriptions to a job that has reported nothing yet."""
    return [item for new in subscriptions for item in new.to_items(0)]


def _listeners(subscriptions: Sequence[NewSubscription]) -> dict[str, Listener]:
    return {
        new.subscription.subscription_id: Listener(new.subscription.expires_at, new.subscription.interests())
        for new in subscriptions
    }
