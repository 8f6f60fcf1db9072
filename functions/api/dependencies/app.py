"""`GET …/job/{jobId}/dependencies`: what a job waits for, and which jobs wait for it."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, limits
from jobtrack.api import create_router, etag_headers, job_key, json_response, lambda_handler
from jobtrack.settings import Settings
from jobtrack.store.dependency_graph import DependencyGraphReader
from jobtrack.views.dependencies import dependencies

graphs = DependencyGraphReader(aws.client("dynamodb"), Settings.from_env().jobs_table)
router = create_router()


@router.get("/job/{jobId}/dependencies")
def get_dependencies(request: Request, depth: Annotated[int, Query(ge=1, le=limits.DEPTH)] = 1) -> Response:
    """Return the jobs up to `depth` steps before and after the job, its resources, and its blocking conditions."""
    job, graph, relations = graphs.read_graph(job_key(request), depth)
    headers = etag_headers(request, *filter(None, graph.jobs.values()))
    return json_response(dependencies(job, graph, relations), headers=headers)


handler = lambda_handler(router)
