"""The keys of projects and jobs. Every stored item belongs to a project or a job."""

from typing import Any, Self

from msgspec import Struct


class ProjectKey(Struct, frozen=True):
    """A project of a tenant; ids are lower-case GUIDs."""

    tenant: str
    project: str

    @property
    def partition(self) -> str:
        """The partition key of the items that belong to the project as a whole."""
        return f"{self.tenant}#{self.project}"

    def item_key(self, sort_key: str) -> dict[str, Any]:
        """Return the primary key of the item with this sort key."""
        return {"pk": {"S": self.partition}, "sk": {"S": sort_key}}

    @property
    def load_partition(self) -> str:
        """The partition key of the project's workers and counters of open jobs, which one query reads.

        The key ends with the number of a partition. There is only one partition so far.
        """
        return f"{self.tenant}#{self.project}#load#0"

    def load_key(self, sort_key: str) -> dict[str, Any]:
        """Return the primary key of the item with this sort key in the load partition."""
        return {"pk": {"S": self.load_partition}, "sk": {"S": sort_key}}

    def job_key(self, job_id: str) -> "JobKey":
        """Return the key of a job of this project."""
        return JobKey(self.tenant, self.project, job_id)


class JobKey(ProjectKey, frozen=True):
    """A job of a project; ids are lower-case GUIDs."""

    job: str

    @classmethod
    def from_partition(cls, partition: str) -> Self:
        """Return the job whose items have this partition key."""
        return cls(*partition.split("#"))

    @property
    def owner(self) -> ProjectKey:
        """The project that the job belongs to."""
        return ProjectKey(self.tenant, self.project)

    @property
    def partition(self) -> str:
        """The partition key of the items of the job."""
        return f"{self.tenant}#{self.project}#{self.job}"
