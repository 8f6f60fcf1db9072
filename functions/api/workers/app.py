"""`PUT …/worker/{workerNode}`: a worker's heartbeat, with its capacity."""

from typing import Annotated

from fastapi import Path, Request, Response

from jobtrack import aws, limits, times
from jobtrack.api import create_router, lambda_handler, project_key
from jobtrack.api.schemas.jobs import WorkerHeartbeat
from jobtrack.settings import Settings
from jobtrack.store.workers import WorkerStore

workers = WorkerStore(aws.client("dynamodb"), Settings.from_env().jobs_table)
router = create_router()

Node = Annotated[str, Path(alias="workerNode", min_length=1, max_length=limits.NAME_CHARACTERS)]


@router.put("/worker/{workerNode}", status_code=204)
def put_worker(request: Request, node: Node, body: WorkerHeartbeat) -> Response:
    """Store the worker's heartbeat. The worker counts as live for 120 s."""
    workers.put_worker(project_key(request), node, body.heartbeat(), times.now())
    return Response(status_code=204)


handler = lambda_handler(router)
