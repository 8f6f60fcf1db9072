"""The local service without circuit breaker, lanes and leases, to measure their effect."""

from jobtrack.push.delivery.circuit_breaker import CircuitBreaker, Permit
from jobtrack.push.delivery.endpoint_health import EndpointHealth, Outcome
from jobtrack.push.messages.message import Lane
from jobtrack_local.__main__ import main


def enter(gate: CircuitBreaker, endpoint: str, lane: Lane, health: EndpointHealth) -> Permit:
    """Permit every attempt."""
    return Permit(endpoint, lane, health, None, False)


def leave(gate: CircuitBreaker, passage: Permit, outcome: Outcome, seconds: float = 0.0) -> EndpointHealth:
    """Record nothing."""
    return passage.health


if __name__ == "__main__":
    CircuitBreaker.enter = enter  # type: ignore[assignment, method-assign]
    CircuitBreaker.leave = leave  # type: ignore[assignment, method-assign]
    CircuitBreaker.note_slow = lambda gate, passage: None  # type: ignore[assignment, method-assign]
    main()
