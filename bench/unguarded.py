"""The local service without breaker, lanes and leases, to see what they are good for."""

from jobtrack.push.delivery.circuit_breaker import Health, Lane, Outcome
from jobtrack.push.delivery.endpoint_gate import Gate, Passage
from jobtrack_local.__main__ import main


def enter(gate: Gate, endpoint: str, lane: Lane, health: Health) -> Passage:
    """Let everybody through."""
    return Passage(endpoint, lane, health, None, False)


def leave(gate: Gate, passage: Passage, outcome: Outcome, seconds: float = 0.0) -> Health:
    """Remember nothing."""
    return passage.health


if __name__ == "__main__":
    Gate.enter = enter  # type: ignore[assignment, method-assign]
    Gate.leave = leave  # type: ignore[assignment, method-assign]
    Gate.note_slow = lambda gate, passage: None  # type: ignore[assignment, method-assign]
    main()
