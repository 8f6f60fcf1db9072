"""Sets the environment variables that point botocore at the engine and functions at their tables."""

import os
from collections.abc import Mapping, MutableMapping

from jobtrack import aws
from jobtrack_local.engine.engines import Engine
from jobtrack_local.engine.provision import REGION
from jobtrack_local.template.intrinsics import Names
from jobtrack_local.template.template import Template
from jobtrack_local.websocket import gateway


def connect(engine: Engine) -> None:
    """Make the layer's future AWS clients use the engine."""
    point_botocore_at(engine.endpoints(), os.environ)
    engine.attach(aws.session())


def point_botocore_at(endpoints: Mapping[str, str], env: MutableMapping[str, str]) -> None:
    """Replace the user's AWS configuration, so that no real account and no proxy is ever used."""
    for name in [name for name in env if name.startswith("AWS_")]:
        del env[name]
    env.update(
        {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            **endpoints,
        }
    )
    for name in ("NO_PROXY", "no_proxy"):
        env[name] = ",".join([*filter(None, [env.get(name)]), "127.0.0.1"])


def own_settings(url: str, secret: str) -> dict[str, str]:
    """Return the variables that differ on one machine: WebSockets are at the service's `url`, loopback is allowed.

    The management API of WebSockets is below a secret path that only the functions receive.
    """
    return {
        "ALLOW_LOOPBACK_WEBHOOKS": "true",
        "WEBSOCKET_URL": url.replace("http", "ws", 1) + gateway.PATH,
        "WEBSOCKET_ENDPOINT": f"{url}/{secret}",
    }


def tell_functions(template: Template, names: Names, own: Mapping[str, str], env: MutableMapping[str, str]) -> None:
    """Set the functions' variables: those of template.yaml, except where `own` has another value."""
    env.update(template.environment(names, own))
