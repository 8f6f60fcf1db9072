"""`GET …/job/{jobId}/dependencies`: what a job waits for, and what waits for it."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, limits
from jobtrack.api import create_router, job_key, json_response, lambda_handler, unless_known
from jobtrack.settings import Settings
from jobtrack.store.dependency_graph import DependencyGraphReader
from jobtrack.views.dependencies import dependencies

graphs = DependencyGraphReader(aws.client("dynamodb"), Settings.from_env().jobs_table)
router = create_router()


@router.get("/job/{jobId}/dependencies")
def get_dependencies(request: Request, depth: Annotated[int, Query(ge=1, le=limits.DEPTH)] = 1) -> Response:
    """Jobs before and after it up to so many steps, resources, and conditions that block it."""
    job, graph, relations = graphs.read_graph(job_key(request), depth)
    headers = unless_known(request, *filter(None, graph.jobs.values()))
    return json_response(dependencies(job, graph, relations), headers=headers)


handler = lambda_handler(router)
