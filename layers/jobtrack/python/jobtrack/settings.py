"""What the stack tells its functions, through their environment."""

import os
from collections.abc import Mapping

from msgspec import Struct, field

from jobtrack.auth import USUAL_NAMES, ClaimNames


class Settings(Struct, frozen=True):
    """Names of tables, queue, key and WebSocket API; empty where the function has no business with them.

    Clients connect to `websocket_url`, with a ticket; `websocket_endpoint` is where their connections are posted to.
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
        """Read the variables that template.yaml sets."""
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
        subject=env.get("SUBJECT_CLAIM", USUAL_NAMES.subject),
        tenant=env.get("TENANT_CLAIM", USUAL_NAMES.tenant),
        projects=env.get("PROJECTS_CLAIM", USUAL_NAMES.projects),
        scope_prefix=env.get("SCOPE_PREFIX", USUAL_NAMES.scope_prefix),
    )
