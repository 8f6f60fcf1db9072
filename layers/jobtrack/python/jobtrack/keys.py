"""Who owns what: the tenant, project and job that every stored item is keyed by."""

from msgspec import Struct


class ProjectKey(Struct, frozen=True):
    """A project of a tenant; ids are lower-case GUIDs."""

    tenant: str
    project: str

    @property
    def partition(self) -> str:
        """The partition of what belongs to the project as a whole."""
        return f"{self.tenant}#{self.project}"


class JobKey(ProjectKey, frozen=True):
    """A job of a project; ids are lower-case GUIDs."""

    job: str

    @property
    def owner(self) -> ProjectKey:
        """The project that the job belongs to."""
        return ProjectKey(self.tenant, self.project)

    @property
    def partition(self) -> str:
        """The partition that holds everything of the job."""
        return f"{self.tenant}#{self.project}#{self.job}"
