"""The stack on ministack: its creation, and what CloudFormation reports about it."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import boto3

from tests.deployed import document
from tests.deployed.archives import archive
from tests.deployed.document import BUCKET, REGION, Place

NAME = "jobtrack"
TEMPLATE = "template.json"
ACCOUNT = "000000000000"


class Stack:
    """The deployed stack of an engine."""

    def __init__(self, engine: str) -> None:
        self._session = boto3.Session(ACCOUNT, "local", region_name=REGION)
        self._engine = engine
        self._formation = self.client("cloudformation")

    @classmethod
    def behind(cls, api: str) -> "Stack":
        """Return the stack whose HTTP API has this URL."""
        return cls(Place(urlsplit(api).port or 0, issuer="").engine)

    def client(self, service: str) -> Any:
        """Return a client of an AWS service of the engine."""
        return self._session.client(service, endpoint_url=self._engine)

    def create(self, place: Place, parameters: Mapping[str, str]) -> None:
        """Deploy template.yaml; RuntimeError names the resources that failed."""
        [plain] = document.translated(parameters)
        template = document.adapted(plain, place)
        self._upload(json.dumps(template).encode())
        self._formation.create_stack(
            StackName=NAME,
            TemplateURL=f"{place.engine}/{BUCKET}/{TEMPLATE}",
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
            DisableRollback=True,  # so that the failure can be queried
        )
        self._wait()
        self._warm()

    def parameter(self, name: str) -> str:
        """Return the value of a parameter of the stack."""
        (found,) = self._formation.describe_stacks(StackName=NAME)["Stacks"]
        return next(str(each["ParameterValue"]) for each in found["Parameters"] if each["ParameterKey"] == name)

    def names(self) -> dict[str, str]:
        """Return the physical id of each resource by its logical id."""
        found = self._formation.describe_stack_resources(StackName=NAME)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def _upload(self, template: bytes) -> None:
        s3, folders = self.client("s3"), sorted(document.folders())
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key=TEMPLATE, Body=template)
        with ThreadPoolExecutor(2) as pool:
            for folder, content in zip(folders, pool.map(archive, folders), strict=True):
                s3.put_object(Bucket=BUCKET, Key=folder, Body=content)

    def _wait(self) -> None:
        waiter = self._formation.get_waiter("stack_create_complete")
        try:
            waiter.wait(StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 180})
        except Exception as error:
            raise RuntimeError(f"{error}: {self._failures()}") from error

    def _warm(self) -> None:
        """Wait until the versions behind the aliases have started, as with SnapStart when they are published."""
        functions, names = self.client("lambda"), self.names()
        for logical in (name for name in names if name.endswith("Aliaslive")):
            function, alias = names[logical].rsplit(":", 1)
            waiter = functions.get_waiter("published_version_active")
            waiter.wait(FunctionName=function, Qualifier=alias, WaiterConfig={"Delay": 1, "MaxAttempts": 120})

    def _failures(self) -> list[str]:
        events = self._formation.describe_stack_events(StackName=NAME)["StackEvents"]
        return [f"{each['LogicalResourceId']}: {why}" for each in events if (why := each.get("ResourceStatusReason"))]
