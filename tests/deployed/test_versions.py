"""Which versions an upgrade publishes: SAM's transform of template.yaml, with the parameters of `make deploy`."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts import deploy
from tests.deployed import document
from tests.stack import ROOT, TEMPLATE, of_type

API = {name for name, each in of_type("AWS::Serverless::Function").items() if "AutoPublishAlias" in each}
STATED = {"JwtIssuer": "https://issuer.example/", "JwtAudience": "jobtrack"}
FIRST = "first"

Change = Callable[[Path], object]


def built(folder: Path) -> Path:
    """Create the folders that `sam build` makes; the lock takes the place of the packages that pip would install."""
    for name, resource in TEMPLATE["Resources"].items():
        for source in (resource["Properties"].get(each) for each in ("CodeUri", "ContentUri")):
            if source:
                shutil.copytree(ROOT / source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "template.yaml").write_text(json.dumps(TEMPLATE))
    return folder


def append(name: str) -> Change:
    """Change a file by one line."""
    return lambda build: (build / name).write_bytes((build / name).read_bytes() + b"\n")


CHANGED_BUILDS: Mapping[str, Change] = {
    "a layer file": append("JobtrackLayer/jobtrack/push/egress/guarded_post.py"),
    "a dependency": append("DependenciesLayer/requirements.txt"),
    "a function's file": append("LogsFunction/app.py"),
    "a data file": append("DocsFunction/openapi.json"),
    "the template": append("template.yaml"),
    "a new file": lambda build: (build / "JobtrackLayer/jobtrack/new.py").touch(),
    "a file less": lambda build: (build / "JobtrackLayer/jobtrack/push/egress/guarded_post.py").unlink(),
    "a file renamed": lambda build: (build / "LogsFunction/app.py").rename(build / "LogsFunction/application.py"),
}
UNCHANGED_BUILDS: Mapping[str, Change] = {
    "touched": lambda build: (build / "LogsFunction/app.py").touch(),
    "beside what is uploaded": lambda build: (build / "local.json").write_text("{}"),
}


def other(parameter: Mapping[str, Any]) -> str:
    """Return a value other than the parameter's default."""
    default = str(parameter.get("Default", ""))
    return next((str(each) for each in parameter.get("AllowedValues", []) if str(each) != default), f"{default}1")


PARAMETERS = {name: other(each) for name, each in TEMPLATE["Parameters"].items() if name != deploy.RELEASE}


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, str]]:
    """For each change: the logical id of each function's version."""
    told: dict[str, dict[str, str]] = {}
    values = deploy.all_values(built(tmp_path_factory.mktemp("build") / "build"), STATED)
    for name, change in {FIRST: lambda build: None, **CHANGED_BUILDS, **UNCHANGED_BUILDS}.items():
        build = built(tmp_path_factory.mktemp("build") / "build")
        change(build)
        told[name] = release(build, values)
    for name, value in PARAMETERS.items():
        told[name] = release(build, {**values, name: value})
    return dict(zip(told, map(published, document.translated(*told.values())), strict=True))


def release(build: Path, values: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of a deployment."""
    return {**values, deploy.RELEASE: deploy.release_hash(build, values)}


def published(plain: Mapping[str, Any]) -> dict[str, str]:
    """Return each function's version: the one of its alias."""
    aliases = [each["Properties"] for each in plain["Resources"].values() if each["Type"] == "AWS::Lambda::Alias"]
    return {each["FunctionName"]["Ref"]: each["FunctionVersion"]["Fn::GetAtt"][0] for each in aliases}


def renewed(versions: Mapping[str, Mapping[str, str]], change: str) -> set[str]:
    """Return the functions whose version differs from before the change."""
    assert versions[change].keys() == versions[FIRST].keys() == API
    return {name for name, version in versions[change].items() if version != versions[FIRST][name]}


def test_there_are_13_functions_behind_an_alias() -> None:
    assert len(API) == 13


@pytest.mark.parametrize("change", [*CHANGED_BUILDS, *PARAMETERS])
def test_a_change_publishes_every_function_of_the_api(change: str, versions: Mapping[str, Mapping[str, str]]) -> None:
    assert renewed(versions, change) == API


@pytest.mark.parametrize("change", UNCHANGED_BUILDS)
def test_without_a_change_none_is_published(change: str, versions: Mapping[str, Mapping[str, str]]) -> None:
    assert renewed(versions, change) == set()


def test_a_published_function_differs_from_the_one_before(tmp_path: Path) -> None:
    """Otherwise Lambda refuses to publish it: CloudFormation does not update an unchanged resource."""
    build = built(tmp_path / "build")
    before, after = document.translated(release(build, STATED), release(build, {**STATED, "LogLevel": "DEBUG"}))
    for name in API:
        properties = [each["Resources"][name]["Properties"] for each in (before, after)]
        assert properties[0] != properties[1]
        assert len(properties[1]["Description"]) <= 256
