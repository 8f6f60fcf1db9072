"""How often a call is tried, and how long is waited between."""

from dataclasses import dataclass, field

from jobtrack_client._api.backoff import Backoff
from jobtrack_client._exceptions import JobTrackError


@dataclass(frozen=True, slots=True)
class Patience:
    """At most `attempts` tries, unless the service asks to wait for more than `longest` seconds."""

    attempts: int = 5
    longest: float = 60.0
    backoff: Backoff = field(default_factory=Backoff)

    def wait(self, tries: int, error: JobTrackError) -> float:
        """Seconds to wait after so many tries, the last of which ended with the error.

        Raises:
            JobTrackError: the error, where no other try follows.
        """
        if not error.transient or tries >= self.attempts or (error.retry_after or 0) > self.longest:
            raise error
        return self.backoff.delay(tries, error.retry_after)
