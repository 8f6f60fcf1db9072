"""The environment in which boto3 finds the engine and nothing else, and the functions their tables."""

from collections.abc import MutableMapping
from urllib.parse import urlsplit

from local.engines import Engines
from local.intrinsics import Names
from local.provision import REGION
from local.template import Template


def point_boto3_at(engines: Engines, env: MutableMapping[str, str]) -> None:
    """Replace what the user's own AWS configuration says: no real account may be touched, no proxy asked."""
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
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",  # emulators serve no host with an account's id
            **engines.variables(),
        }
    )
    hosts = {urlsplit(url).hostname or "" for url in engines.variables().values()}
    for name in ("NO_PROXY", "no_proxy"):
        env[name] = ",".join([*filter(None, [env.get(name)]), *sorted(hosts)])


def tell_functions(template: Template, names: Names, env: MutableMapping[str, str]) -> None:
    """Set what template.yaml tells the functions, and that loopback receivers are allowed here."""
    env.update(template.environment(names), ALLOW_LOOPBACK_WEBHOOKS="true")
