"""The answer of `GET …/dependencies`."""

from typing import Annotated, Literal

from pydantic import Field

from scripts.openapi.kinds import Answer, Id, JobStatus, Time

Distance = Annotated[int, Field(ge=1, description="Steps from the job asked about")]


class PrerequisiteJob(Answer):
    """A job that this one waits for."""

    jobId: Id
    jobName: str | None
    status: JobStatus | None
    completedAt: Time | None
    dependency: str | None
    distance: Distance


class ResourceDependency(Answer):
    """What the job needs that is no job."""

    resourceType: str
    resourceId: str
    resourceName: str | None
    status: str | None
    lastModified: Time | None
    allocatedAt: Time | None
    releasedAt: Time | None


class DependentJob(Answer):
    """A job that waits for this one."""

    jobId: Id
    jobName: str | None
    status: JobStatus | None
    waitingFor: str | None
    distance: Distance


class DependencyLists(Answer):
    """What the job waits for, and what waits for it."""

    prerequisiteJobs: list[PrerequisiteJob]
    resourceDependencies: list[ResourceDependency]
    dependentJobs: list[DependentJob]


class ConditionState(Answer):
    """What holds the job up, or did."""

    condition: str
    status: Literal["Active", "Resolved"]
    resolvedAt: Time | None
    resolution: str | None


class Node(Answer):
    """A job of the graph."""

    id: Id
    type: Literal["PrerequisiteJob", "CurrentJob", "DependentJob"]
    status: JobStatus | None
    jobName: str | None


class Edge(Answer):
    """Who waits for whom."""

    from_: Annotated[Id, Field(alias="from")]
    to: Id
    type: Literal["prerequisite", "dependency"]


class Graph(Answer):
    """The jobs around this one, each once."""

    nodes: list[Node]
    edges: list[Edge]
    complete: Annotated[bool, Field(description="Whether nothing was left out for size")]


class Dependencies(Answer):
    """What a job waits for, what waits for it, and the graph of both."""

    jobId: Id
    dependencies: DependencyLists
    blockingConditions: list[ConditionState]
    dependencyGraph: Graph
