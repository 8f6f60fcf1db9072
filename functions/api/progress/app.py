"""`GET …/job/{jobId}/progress`: how far a job has come."""

from fastapi import Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, job_key, json_response, lambda_handler, unless_known
from jobtrack.settings import Settings
from jobtrack.store.job_reader import JobReader
from jobtrack.views.progress import progress

jobs = JobReader(aws.client("dynamodb"), Settings.from_env().jobs_table)
router = create_router()


@router.get("/job/{jobId}/progress")
def get_progress(request: Request) -> Response:
    """The stages, what runs now, what remains, and what the job uses."""
    snapshot = jobs.read_snapshot(job_key(request))
    headers = unless_known(request, snapshot.job)
    jobs.add_extras(snapshot)
    return json_response(progress(snapshot.job, times.now()), headers=headers)


handler = lambda_handler(router)
