"""The description of the API: complete, current, valid, and shown by a page that requests no other host."""

import base64
import gzip
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from scripts.openapi import __main__ as description
from scripts.openapi.operations import EXAMPLES
from tests.functions.conftest import TEMPLATE, Invoke
from tests.stack import ROOT

Sample = Callable[[str], dict[str, Any]]
DOCUMENT: dict[str, Any] = json.loads(description.PATH.read_text())
VIEWER = ROOT / "functions" / "api" / "docs" / "viewer"
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def shown() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every body that has an example, with its place."""
    for name, operation in OPERATIONS.items():
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for place, body in bodies.items():
            for media in body.get("content", {}).values():
                if "example" in media:
                    yield f"{name} {place}", media


def test_the_description_is_current() -> None:
    assert description.text() == description.PATH.read_text(), "run make openapi"


def test_the_description_is_valid() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    validate(DOCUMENT)


def test_every_route_is_described_with_its_scope() -> None:
    scopes = {f"{route.method} {route.path}": list(route.auth.authorization_scopes) for route in TEMPLATE.routes}
    found = {
        name: [scope for each in operation["security"] for scope in each["bearer"]]
        for name, operation in OPERATIONS.items()
    }
    assert found == scopes


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)
    assert all(operation["summary"] for operation in OPERATIONS.values())


def test_every_part_of_a_path_is_described() -> None:
    for name, operation in OPERATIONS.items():
        given = [each["name"] for each in operation.get("parameters", []) if each["in"] == "path"]
        assert given == re.findall(r"{(\w+)}", name)
        assert all(each["description"] for each in operation.get("parameters", []))


def test_every_refusal_is_a_problem() -> None:
    for name, operation in OPERATIONS.items():
        refusals = {status: each for status, each in operation["responses"].items() if status >= "4"}
        if operation["security"]:
            assert {"401", "403", "422"} <= set(refusals), name
        assert all(each == {"$ref": f"#/components/responses/Problem{status}"} for status, each in refusals.items())


@pytest.mark.parametrize(("place", "media"), [pytest.param(*each, id=each[0]) for each in shown()])
def test_examples_are_as_described_but_for_what_was_added_to_them(place: str, media: dict[str, Any]) -> None:
    components = DOCUMENT["components"] if "request" in place else without_required(DOCUMENT["components"])
    OAS31Validator({**media["schema"], "components": components}).validate(media["example"])


def without_required(schema: Any) -> Any:
    """Our responses have more members than the specification's."""
    if isinstance(schema, list):
        return [without_required(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: without_required(each) for name, each in schema.items() if name != "required"}


def test_the_specifications_bodies_are_all_shown() -> None:
    bodies = [json.loads(path.read_text()) for path in sorted(EXAMPLES.glob("*.json"))]
    examples = [media["example"] for _, media in shown()]
    assert len(bodies) == 8
    assert [body for body in bodies if body not in examples] == []


def test_the_document_is_answered_as_it_is_committed(invoke: Invoke, sample: Sample) -> None:
    event = sample("get-openapi")
    assert unzipped(invoke("DocsFunction", event)) == description.PATH.read_bytes()
    event["headers"]["accept-encoding"] = "identity"
    plain = invoke("DocsFunction", event)
    assert plain["body"].encode() == description.PATH.read_bytes()
    assert plain["headers"]["content-type"] == "application/json; charset=utf-8"
    assert plain["headers"]["cache-control"] == "no-cache"


def test_the_page_may_load_its_own_files_only(invoke: Invoke, sample: Sample) -> None:
    answer = invoke("DocsFunction", sample("get-docs"))
    policy = dict(part.strip().split(" ", 1) for part in answer["headers"]["content-security-policy"].split(";"))
    assert policy.pop("img-src") == "'self' data:"
    assert set(policy.values()) == {"'self'", "'none'"}
    assert policy["default-src"] == "'none'"
    page = unzipped(answer).decode()
    assert set(re.findall(r'(?:src|href)="([^"]+)"', page)) == {
        "data:,", "docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "docs/page.js", "openapi.json",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["page.js", "swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE"])
def test_the_pages_files_are_answered(invoke: Invoke, sample: Sample, name: str) -> None:
    answer = invoke("DocsFunction", docs_file(sample, name))
    assert unzipped(answer) == (VIEWER / name).read_bytes()
    assert answer["headers"]["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["page.html", "README.md", "..", "%2e%2e%2fapp.py"])
def test_no_other_file_is(invoke: Invoke, sample: Sample, name: str) -> None:
    answer = invoke("DocsFunction", docs_file(sample, name))
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "not_found")


def test_the_viewer_is_as_its_authors_published_it() -> None:
    lines = (line.split() for line in (VIEWER / "sha256sums").read_text().splitlines())
    sums = {name: digest for digest, name in lines}
    assert sums == {name: hashlib.sha256((VIEWER / name).read_bytes()).hexdigest() for name in sums}
    assert {path.name for path in VIEWER.iterdir()} == {*sums, "README.md", "page.html", "page.js", "sha256sums"}


def test_the_function_loads_no_other_and_no_clients_of_aws() -> None:
    code = "import sys, functions.api.docs.app; print(*sys.modules)"
    listed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    loaded = set(listed.split())
    assert "functions.api.docs.app" in loaded
    assert {"boto3", "jobtrack_local", "scripts", "jobtrack.api.schemas.jobs", "jobtrack.views.job"} & loaded == set()
    assert {name for name in loaded if name.startswith("functions.api.") and ".docs" not in name} == set()


def docs_file(sample: Sample, name: str) -> dict[str, Any]:
    event = sample("get-docs-file")
    event["rawPath"] = event["requestContext"]["http"]["path"] = f"/docs/{name}"
    event["pathParameters"]["file"] = name
    return event


def unzipped(answer: dict[str, Any]) -> bytes:
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert answer["headers"]["content-encoding"] == "gzip"
    assert len(answer["body"]) < 1_000_000
    return gzip.decompress(base64.b64decode(answer["body"]))
