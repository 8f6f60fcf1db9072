"""The settings of a function, from the environment variables that the template sets."""

import os
from collections.abc import Mapping

from msgspec import Struct, field

from jobtrack.auth import DEFAULT_CLAIM_NAMES, ClaimNames


class Settings(Struct, frozen=True):
    """The names of resources, which are empty for a function that does not use them, and the stack's parameters.

    Args:
        websocket_url: the address that clients connect to, with a ticket.
        websocket_endpoint: the address for posting to the clients' connections.
    """

    jobs_table: str = ""
    subscriptions_table: str = ""
    deliveries_table: str = ""
    quarantine_table: str = ""
    delivery_queue_url: str = ""
    slow_delivery_queue_url: str = ""
    secrets_key_id: str = ""
    websocket_url: str = ""
    websocket_endpoint: str = ""
    allowed_webhook_ports: frozenset[int] = frozenset({443})
    allow_loopback_webhooks: bool = False
    retention_days: int = 90
    claims: ClaimNames = field(default_factory=ClaimNames)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings from environment variables."""
        return cls(
            jobs_table=env.get("JOBS_TABLE", ""),
            subscriptions_table=env.get("SUBSCRIPTIONS_TABLE", ""),
            deliveries_table=env.get("DELIVERIES_TABLE", ""),
            quarantine_table=env.get("QUARANTINE_TABLE", ""),
            delivery_queue_url=env.get("DELIVERY_QUEUE_URL", ""),
            slow_delivery_queue_url=env.get("SLOW_DELIVERY_QUEUE_URL", ""),
            secrets_key_id=env.get("SECRETS_KEY_ID", ""),
            websocket_url=env.get("WEBSOCKET_URL", ""),
            websocket_endpoint=env.get("WEBSOCKET_ENDPOINT", ""),
            allowed_webhook_ports=frozenset(int(port) for port in env.get("ALLOWED_WEBHOOK_PORTS", "443").split(",")),
            allow_loopback_webhooks=env.get("ALLOW_LOOPBACK_WEBHOOKS") == "true",
            retention_days=int(env.get("RETENTION_DAYS", "90")),
            claims=_claims(env),
        )


def _claims(env: Mapping[str, str]) -> ClaimNames:
    return ClaimNames(
        subject=env.get("SUBJECT_CLAIM", DEFAULT_CLAIM_NAMES.subject),
        tenant=env.get("TENANT_CLAIM", DEFAULT_CLAIM_NAMES.tenant),
        projects=env.get("PROJECTS_CLAIM", DEFAULT_CLAIM_NAMES.projects),
        scope_prefix=env.get("SCOPE_PREFIX", DEFAULT_CLAIM_NAMES.scope_prefix),
    )
