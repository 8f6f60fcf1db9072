from hypothesis import given
from hypothesis import strategies as st

from jobtrack_client import Backoff

fraction = st.floats(0, 1, exclude_max=True)


@given(tries=st.integers(1, 10**6), chance=fraction, longest=st.none() | st.floats(0.1, 100))
def test_a_wait_doubles_up_to_the_longest_and_is_jittered(tries: int, chance: float, longest: float | None) -> None:
    backoff = Backoff(first=0.5, longest=10, random=lambda: chance)
    full = min(10, longest or 10, 0.5 * 2.0 ** min(tries - 1, 100))
    assert full / 2 <= backoff.delay(tries, longest=longest) <= full


@given(asked=st.floats(0, 10**6), chance=fraction)
def test_what_is_asked_for_is_kept_but_bounded(asked: float, chance: float) -> None:
    kept = min(asked, 300)
    assert kept <= Backoff(random=lambda: chance).delay(1, asked) <= kept * 1.1
