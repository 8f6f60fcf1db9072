"""template.yaml as deployed on ministack: SAM's own transform, changed where ministack differs from AWS."""

import copy
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.deployed import routes
from tests.stack import ROOT, TEMPLATE

SAM_PYTHON = ROOT / ".venv-sam" / "bin" / "python"
BUCKET = "jobtrack-code"
REGION = "us-east-1"
DOMAIN = "127.0.0.1"
"""The API's custom domain: requests to this host are the API's, requests to `localhost` are ministack's own."""


@dataclass(frozen=True)
class Place:
    """The addresses of ministack and of the keys that verify tokens."""

    port: int
    issuer: str

    @property
    def engine(self) -> str:
        """URL of AWS's own APIs."""
        return f"http://localhost:{self.port}"

    @property
    def api(self) -> str:
        """URL of the deployed HTTP API."""
        return f"http://{DOMAIN}:{self.port}"


def folders() -> set[str]:
    """Return every `CodeUri` and `ContentUri`."""
    properties = [each["Properties"] for each in TEMPLATE["Resources"].values()]
    return {folder for each in properties for name, folder in each.items() if _code(name)}


def translated(*parameters: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return SAM's transform of template.yaml for each set of parameters; code is in folders of the bucket."""
    template = copy.deepcopy(TEMPLATE)
    for resource in template["Resources"].values():
        for name in filter(_code, resource["Properties"]):
            resource["Properties"][name] = {"Bucket": BUCKET, "Key": resource["Properties"][name]}
    done = subprocess.run(
        [SAM_PYTHON, "-m", "tests.deployed.sam"],
        input=json.dumps([{"template": template, "parameters": dict(each)} for each in parameters]),
        env={"AWS_DEFAULT_REGION": REGION},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    plain: list[dict[str, Any]] = json.loads(done.stdout)
    return plain


def adapted(plain: dict[str, Any], place: Place) -> dict[str, Any]:
    """Return a copy that ministack can serve: with routes that it reads, its addresses, and receivers on loopback."""
    made = copy.deepcopy(plain)
    del made["Parameters"]["JwtIssuer"]["AllowedPattern"]  # no https on loopback
    resources = {name: each for name, each in made["Resources"].items() if not _of_metric_math(each)}
    for name, api in [(name, each) for name, each in resources.items() if "Body" in each.get("Properties", {})]:
        api["Properties"], more = routes.from_body(name, api["Properties"]["Body"])
        resources |= more | _domain(name, stage=f"{name}ApiGatewayDefaultStage")
    for resource in resources.values():
        if resource["Type"] == "AWS::Lambda::Function":
            _tell(resource["Properties"].setdefault("Environment", {}).setdefault("Variables", {}), place)
    return {**made, "Resources": resources}


def _tell(variables: dict[str, Any], place: Place) -> None:
    """Set ministack's addresses for WebSockets and AWS's APIs, and allow receivers on this machine."""
    path = "_aws/execute-api/${WebSocketApi}/${WebSocketStage}"
    own = {
        "WEBSOCKET_URL": {"Fn::Sub": f"ws://{DOMAIN}:{place.port}/{path}"},
        "WEBSOCKET_ENDPOINT": {"Fn::Sub": f"{place.engine}/{path}"},
    }
    variables |= {name: value for name, value in own.items() if name in variables}
    variables |= {"AWS_ENDPOINT_URL": place.engine, "ALLOW_LOOPBACK_WEBHOOKS": "true"}


def _domain(api: str, stage: str) -> dict[str, Any]:
    """Serve the API at the root of a host: ministack's other addresses have the API's id before each path."""
    certificate = {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/none", "EndpointType": "REGIONAL"}
    return {
        f"{api}Domain": {
            "Type": "AWS::ApiGatewayV2::DomainName",
            "Properties": {"DomainName": DOMAIN, "DomainNameConfigurations": [certificate]},
        },
        f"{api}Mapping": {
            "Type": "AWS::ApiGatewayV2::ApiMapping",
            "Properties": {"ApiId": {"Ref": api}, "DomainName": {"Ref": f"{api}Domain"}, "Stage": {"Ref": stage}},
        },
    }


def _of_metric_math(resource: Mapping[str, Any]) -> bool:
    """Whether this is an alarm on several metrics, which ministack refuses."""
    return resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]


def _code(name: str) -> bool:
    return name in ("CodeUri", "ContentUri")
