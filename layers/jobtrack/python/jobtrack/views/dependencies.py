"""`GET …/dependencies`."""

from collections.abc import Iterable, Iterator

from jobtrack import times
from jobtrack.domain.dependencies import Edge, Graph, Relations
from jobtrack.domain.job import Job, Json, Status


def dependencies(job: Job, graph: Graph, relations: Relations) -> Json:
    """The answer for a job in the graph of the jobs around it."""
    above, below = _nearest(graph.above, "prerequisite"), _nearest(graph.below, "dependent")
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
                *(_node(each, "PrerequisiteJob", graph) for each in above),
                _node(job.job_id, "CurrentJob", graph),
                *(_node(each, "DependentJob", graph) for each in below),
            ],
            "edges": [
                *(_edge(edge, "prerequisite") for edge in graph.above),
                *(_edge(edge, "dependency") for edge in graph.below),
            ],
            "complete": graph.complete,
        },
    }


def _nearest(edges: Iterable[Edge], end: str) -> dict[str, Edge]:
    """Each job once, with the edge by which it was found first."""
    found: dict[str, Edge] = {}
    for edge in edges:
        found.setdefault(getattr(edge, end), edge)
    return found


def _prerequisite(edge: Edge, graph: Graph) -> Json:
    """`dependency` is what the job that waits said of it; `distance` counts the steps from the job asked about."""
    job = graph.jobs[edge.prerequisite]
    completed = job.ended_at if job and job.status is Status.COMPLETED else None
    return {
        "jobId": edge.prerequisite,
        "jobName": job.name if job else None,
        "status": job.status if job else None,
        "completedAt": _time(completed),
        "dependency": edge.reason,
        "distance": edge.distance,
    }


def _dependent(edge: Edge, graph: Graph) -> Json:
    """`waitingFor` is what it said itself, else the results of the job that it waits for: in words of the contract."""
    job, awaited = graph.jobs[edge.dependent], graph.jobs[edge.prerequisite]
    return {
        "jobId": edge.dependent,
        "jobName": job.name if job else None,
        "status": job.status if job else None,
        "waitingFor": edge.reason or (f"{awaited.name} results" if awaited else None),
        "distance": edge.distance,
    }


def _resources(job: Job, relations: Relations) -> Iterator[Json]:
    """As declared and last reported; and the worker that runs the job, allocated from its start to its end."""
    held: dict[tuple[str, str], Json] = {}
    for each in [*relations.resources, *relations.changed.resources]:
        held.setdefault((each["resourceType"], each["resourceId"]), {}).update(each)
    for each in _worker_node(job):
        held.setdefault((each["resourceType"], each["resourceId"]), each)
    return (_resource(each) for each in held.values())


def _worker_node(job: Job) -> Iterator[Json]:
    if node := (job.allocated or {}).get("workerNode"):
        yield {
            "resourceType": "ComputeNode",
            "resourceId": node,
            "status": "Released" if job.status.ended else "Allocated",
            "allocatedAt": job.started_at,
            "releasedAt": job.ended_at,
        }


def _resource(held: Json) -> Json:
    names = ("resourceType", "resourceId", "resourceName", "status")
    moments = ("lastModified", "allocatedAt", "releasedAt")
    return {name: held.get(name) for name in names} | {name: _time(held.get(name)) for name in moments}


def _conditions(relations: Relations) -> list[Json]:
    """As declared, then as last reported; when one declared as resolved was, is not known."""
    held: dict[str, Json] = {}
    for each in [*relations.conditions, *relations.changed.conditions]:
        held[each["condition"]] = each
    return [
        {
            "condition": name,
            "status": each["status"],
            "resolvedAt": _time(each.get("resolvedAt")),
            "resolution": each.get("resolution"),
        }
        for name, each in held.items()
    ]


def _node(job_id: str, kind: str, graph: Graph) -> Json:
    job = graph.jobs[job_id]
    return {
        "id": job_id,
        "type": kind,
        "status": job.status if job else None,
        "jobName": job.name if job else None,
    }


def _edge(edge: Edge, kind: str) -> Json:
    return {"from": edge.prerequisite, "to": edge.dependent, "type": kind}


def _time(moment: int | None) -> str | None:
    return None if moment is None else times.render(moment)
