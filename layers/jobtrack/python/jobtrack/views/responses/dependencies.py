"""`GET …/job/{jobId}/dependencies`."""

from typing import Annotated, Literal

from typing_extensions import TypedDict

from jobtrack.domain.dependencies import ConditionStatus
from jobtrack.domain.job import JobStatus
from jobtrack.views.responses.fields import Id, Schema, Time

Distance = Annotated[int, Schema(minimum=1, description="Steps from the requested job in the graph")]
NodeType = Literal["PrerequisiteJob", "CurrentJob", "DependentJob"]
EdgeType = Literal["prerequisite", "dependency"]


class PrerequisiteJob(TypedDict):
    """A job that has to complete first. Name and status are `null` once the job is no longer kept."""

    jobId: Id
    jobName: str | None
    status: JobStatus | None
    completedAt: Time | None
    dependency: str | None
    """Why the waiting job depends on it, as declared"""
    distance: Distance


class ResourceDependency(TypedDict):
    """A resource that the job needs, as declared and as last reported."""

    resourceType: str
    resourceId: str
    resourceName: str | None
    status: str | None
    lastModified: Time | None
    allocatedAt: Time | None
    releasedAt: Time | None


class DependentJob(TypedDict):
    """A job that waits. Name and status are `null` once the job is no longer kept."""

    jobId: Id
    jobName: str | None
    status: JobStatus | None
    waitingFor: str | None
    """What the job waits for, as declared, or `<job name> results`"""
    distance: Distance


class DependencyLists(TypedDict):
    """What the job waits for, and which jobs wait for it."""

    prerequisiteJobs: list[PrerequisiteJob]
    resourceDependencies: list[ResourceDependency]
    dependentJobs: list[DependentJob]


class ConditionState(TypedDict):
    """A condition that blocks the job, or that was resolved."""

    condition: str
    status: ConditionStatus
    resolvedAt: Time | None
    """`null` if the condition was declared as resolved"""
    resolution: str | None


class Node(TypedDict):
    """A job of the graph."""

    id: Id
    type: NodeType
    status: JobStatus | None
    jobName: str | None


_EdgeStart = TypedDict("_EdgeStart", {"from": Id})  # `from` is a keyword, so it cannot be declared in a class


class Edge(_EdgeStart):
    """The job `to` waits for the job `from`."""

    to: Id
    type: EdgeType


class Graph(TypedDict):
    """The jobs around the requested one, each once."""

    nodes: list[Node]
    edges: list[Edge]
    complete: bool
    """False if jobs were left out because the graph is too large"""


class Dependencies(TypedDict):
    """What a job waits for, which jobs wait for it, and the graph of both."""

    jobId: Id
    dependencies: DependencyLists
    blockingConditions: list[ConditionState]
    dependencyGraph: Graph
