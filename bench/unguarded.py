"""The local service without circuit breaker, lanes and leases, to measure their effect."""

from jobtrack.push.delivery.attempt import Outcome
from jobtrack.push.delivery.circuit_breaker import CircuitBreaker, Permit
from jobtrack.push.delivery.endpoint_health import EndpointHealth
from jobtrack.push.messages.message import Lane
from jobtrack_local.__main__ import main


def acquire(breaker: CircuitBreaker, endpoint: str, lane: Lane, health: EndpointHealth) -> Permit:
    """Permit every attempt."""
    return Permit(endpoint, lane, health, None, False)


def release(breaker: CircuitBreaker, permit: Permit, outcome: Outcome, seconds: float = 0.0) -> EndpointHealth:
    """Record nothing."""
    return permit.health


if __name__ == "__main__":
    CircuitBreaker.acquire = acquire  # type: ignore[assignment, method-assign]
    CircuitBreaker.release = release  # type: ignore[assignment, method-assign]
    CircuitBreaker.mark_slow = lambda breaker, permit: None  # type: ignore[assignment, method-assign]
    main()
