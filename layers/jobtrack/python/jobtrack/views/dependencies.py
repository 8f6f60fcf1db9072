"""`GET …/job/{jobId}/dependencies`."""

from collections.abc import Iterable, Iterator

from jobtrack import times
from jobtrack.domain.dependencies import Edge, Graph, Relations
from jobtrack.domain.job import Job, JobStatus, Json
from jobtrack.views.responses import dependencies as responses
from jobtrack.views.responses.dependencies import (
    ConditionState,
    Dependencies,
    DependentJob,
    EdgeType,
    Node,
    NodeType,
    PrerequisiteJob,
    ResourceDependency,
)


def dependencies(job: Job, graph: Graph, relations: Relations) -> Dependencies:
    """Return the response for a job and the graph of the jobs around it."""
    above = _nearest((edge.prerequisite, edge) for edge in graph.above)
    below = _nearest((edge.dependent, edge) for edge in graph.below)
    return {
        "jobId": job.job_id,
        "dependencies": {
            "prerequisiteJobs": [_prerequisite(edge, graph) for edge in above.values()],
            "resourceDependencies": list(_resources(job, relations)),
            "dependentJobs": [_dependent(edge, graph) for edge in below.values()],
        },
        "blockingConditions": _conditions(relations),
        "dependencyGraph": {
            "nodes": [
                *(_node(job_id, "PrerequisiteJob", graph) for job_id in above),
                _node(job.job_id, "CurrentJob", graph),
                *(_node(job_id, "DependentJob", graph) for job_id in below),
            ],
            "edges": [
                *(_edge(edge, "prerequisite") for edge in graph.above),
                *(_edge(edge, "dependency") for edge in graph.below),
            ],
            "complete": graph.complete,
        },
    }


def _nearest(edges: Iterable[tuple[str, Edge]]) -> dict[str, Edge]:
    """Return each job once, with the edge of the shortest distance. The edges come in order of distance."""
    nearest: dict[str, Edge] = {}
    for job_id, edge in edges:
        nearest.setdefault(job_id, edge)
    return nearest


def _prerequisite(edge: Edge, graph: Graph) -> PrerequisiteJob:
    job = graph.jobs[edge.prerequisite]
    completed_at = job.ended_at if job and job.status is JobStatus.COMPLETED else None
    return {
        "jobId": edge.prerequisite,
        "jobName": job.name if job else None,
        "status": job.status if job else None,
        "completedAt": times.render_optional(completed_at),
        "dependency": edge.reason,
        "distance": edge.distance,
    }


def _dependent(edge: Edge, graph: Graph) -> DependentJob:
    job, prerequisite = graph.jobs[edge.dependent], graph.jobs[edge.prerequisite]
    return {
        "jobId": edge.dependent,
        "jobName": job.name if job else None,
        "status": job.status if job else None,
        "waitingFor": edge.reason or (f"{prerequisite.name} results" if prerequisite else None),
        "distance": edge.distance,
    }


def _resources(job: Job, relations: Relations) -> Iterator[ResourceDependency]:
    """Yield the resources as declared and as last reported, then the worker node that runs the job."""
    resources: dict[tuple[str, str], Json] = {}
    for resource in [*relations.resources, *relations.changed.resources]:
        resources.setdefault((resource["resourceType"], resource["resourceId"]), {}).update(resource)
    for resource in _worker_node(job):
        resources.setdefault((resource["resourceType"], resource["resourceId"]), resource)
    return (_resource(resource) for resource in resources.values())


def _worker_node(job: Job) -> Iterator[Json]:
    """Yield the worker node, if it is known. It is allocated from the job's start to its end."""
    if node := (job.allocated or {}).get("workerNode"):
        yield {
            "resourceType": "ComputeNode",
            "resourceId": node,
            "status": "Released" if job.status.ended else "Allocated",
            "allocatedAt": job.started_at,
            "releasedAt": job.ended_at,
        }


def _resource(resource: Json) -> ResourceDependency:
    return {
        "resourceType": resource["resourceType"],
        "resourceId": resource["resourceId"],
        "resourceName": resource.get("resourceName"),
        "status": resource.get("status"),
        "lastModified": times.render_optional(resource.get("lastModified")),
        "allocatedAt": times.render_optional(resource.get("allocatedAt")),
        "releasedAt": times.render_optional(resource.get("releasedAt")),
    }


def _conditions(relations: Relations) -> list[ConditionState]:
    """Return the conditions as declared, and as last reported. A declared condition has no time of resolution."""
    conditions = {
        condition["condition"]: condition for condition in [*relations.conditions, *relations.changed.conditions]
    }
    return [
        {
            "condition": name,
            "status": condition["status"],
            "resolvedAt": times.render_optional(condition.get("resolvedAt")),
            "resolution": condition.get("resolution"),
        }
        for name, condition in conditions.items()
    ]


def _node(job_id: str, kind: NodeType, graph: Graph) -> Node:
    job = graph.jobs[job_id]
    return {
        "id": job_id,
        "type": kind,
        "status": job.status if job else None,
        "jobName": job.name if job else None,
    }


def _edge(edge: Edge, kind: EdgeType) -> responses.Edge:
    return {"from": edge.prerequisite, "to": edge.dependent, "type": kind}
