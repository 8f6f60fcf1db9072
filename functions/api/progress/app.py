"""`GET …/job/{jobId}/progress`: how far a job is."""

from fastapi import Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, etag_headers, job_key, json_response, lambda_handler
from jobtrack.settings import Settings
from jobtrack.store.job_reader import JobReader
from jobtrack.views.progress import progress

jobs = JobReader(aws.client("dynamodb"), Settings.from_env().jobs_table)
router = create_router()


@router.get("/job/{jobId}/progress")
def get_progress(request: Request) -> Response:
    """Return the stages, the current activity, the remaining time, and the resource usage."""
    snapshot = jobs.read_snapshot(job_key(request))
    headers = etag_headers(request, snapshot.job)
    jobs.add_extras(snapshot)
    return json_response(progress(snapshot.job, times.now()), headers=headers)


handler = lambda_handler(router)
