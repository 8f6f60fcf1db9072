"""Tracked bars of tqdm: use `from jobtrack_client.integrations.tqdm import tqdm` instead of `from tqdm import tqdm`.

Each outermost bar is a stage of the current job, or a job of its own. Bars look like those of `tqdm.auto`.
"""

from typing import TYPE_CHECKING

from tqdm import auto

from jobtrack_client.integrations.tqdm_patch import follow

__all__ = ["tqdm", "trange"]

if TYPE_CHECKING:
    from tqdm.auto import tqdm, trange
else:

    class tqdm(auto.tqdm):
        """A bar of tqdm whose progress is reported."""

    def trange(*args, **kwargs):
        """Return a bar over `range(*args)`."""
        return tqdm(range(*args), **kwargs)


follow(tqdm)
