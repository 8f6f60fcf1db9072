"""Has the older items of jobs that still report kept for longer, a job after the other, in the time that is left."""

import logging
from collections.abc import Callable
from dataclasses import replace

from jobtrack import times
from jobtrack.classes import service
from jobtrack.store.job_timers import SHARDS, Timer, TimerStore
from jobtrack.store.ttl_extension import Keeper, Spread

logger = logging.getLogger(__name__)

RETRY_SECONDS = 300
"""When to look again at a job whose items cannot be extended."""


@service
class Keeping:
    """Serves the timers of the kind `KEEP`. Runs may overlap: an item that was extended is not due any more."""

    timers: TimerStore
    keeper: Keeper
    now: Callable[[], int] = times.now

    def run(self, goes_on: Callable[[], bool], spread: Spread = map) -> None:
        """Serve what is due, the longest due first, while there is time; the next run goes on where this one ends."""
        moment = self.now() // times.SECOND
        first = moment // 60 % SHARDS
        for turn in range(SHARDS):
            for page in self.timers.due((first + turn) % SHARDS, moment):
                for timer in page:
                    if not goes_on():
                        return
                    self._serve(timer, goes_on, spread)

    def _serve(self, timer: Timer, goes_on: Callable[[], bool], spread: Spread) -> None:
        try:
            reached = self.keeper.extend(timer.job, timer.after, goes_on, spread)
        except Exception:  # whatever is wrong with one job must not hold up the others
            logger.exception("job %s cannot be kept for longer", timer.job.partition)
            later = replace(timer, due=self.now() // times.SECOND + RETRY_SECONDS)
            self.timers.move([(timer, later)], self.keeper.retention.seconds)
            return
        if reached is None:
            self.timers.drop([timer])
        else:
            self.timers.put(replace(timer, after=reached), self.keeper.retention.seconds)
