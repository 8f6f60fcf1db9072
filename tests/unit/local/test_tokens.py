"""Development tokens and the key behind them."""

import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from jobtrack.errors import Unauthorized
from jobtrack_local import tokens
from jobtrack_local.errors import LocalError
from jobtrack_local.tokens import Verifier, issue, load_signing_key

TENANT = "7D1C3B5E-2F4A-4C8E-9B6D-0A1F2E3D4C5B"
PROJECT = "1f0e8400-e29b-41d4-a716-446655440000"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    load_signing_key(folder)
    return folder


def test_a_token_is_accepted_and_says_who_it_is(home: Path) -> None:
    claims = Verifier(load_signing_key(home)).verify(issue(TENANT, PROJECT, "jobs:read", home=home))
    assert claims["tenant_id"] == TENANT.lower()
    assert claims["project_ids"] == [PROJECT]
    assert claims["scope"] == "jobs:read"
    assert claims["sub"] == "local-developer"


def test_without_a_project_it_is_for_all_of_the_tenants(home: Path) -> None:
    assert "project_ids" not in Verifier(load_signing_key(home)).verify(issue(TENANT, home=home))


def test_it_expires(home: Path) -> None:
    old = issue(TENANT, ttl=60, home=home, clock=lambda: 1_000_000)
    with pytest.raises(Unauthorized, match="expired"):
        Verifier(load_signing_key(home)).verify(old)


def test_a_token_that_was_accepted_expires_too(home: Path) -> None:
    now = time.time()
    verifier = Verifier(load_signing_key(home), lambda: now)
    token = issue(TENANT, ttl=60, home=home)
    assert verifier.verify(token) == verifier.verify(token)
    now += 61
    for _ in range(2):
        with pytest.raises(Unauthorized, match="expired"):
            verifier.verify(token)


def test_only_the_newest_tokens_are_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_VERIFIED", 2)
    verifier = Verifier(load_signing_key(home))
    accepted = [issue(TENANT, home=home, ttl=60 + index) for index in range(4)]
    for token in accepted:
        verifier.verify(token)
    with monkeypatch.context() as patched:
        patched.setattr(jwt, "decode", fail)
        for token in accepted[2:]:
            verifier.verify(token)
        with pytest.raises(AssertionError):
            verifier.verify(accepted[0])


def fail(*_: object, **__: object) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    "change",
    [{"iss": "https://elsewhere.example/"}, {"aud": "other"}, {"exp": None}, {"iss": None}, {"aud": None}],
)
def test_a_claim_that_is_wrong_or_missing_is_refused(home: Path, change: dict[str, str | None]) -> None:
    verifier = Verifier(load_signing_key(home))
    claims = {**verifier.verify(issue(TENANT, home=home)), **change}
    given = {name: value for name, value in claims.items() if value is not None}
    with pytest.raises(Unauthorized):
        verifier.verify(jwt.encode(given, load_signing_key(home), algorithm="RS256"))


def test_another_key_another_algorithm_and_no_signature_are_refused(home: Path) -> None:
    verifier = Verifier(load_signing_key(home))
    claims = dict(verifier.verify(issue(TENANT, home=home)))
    forged = [
        jwt.encode(claims, generate_private_key(65537, 2048), algorithm="RS256"),
        jwt.encode(claims, "a secret of thirty-two bytes, or more", algorithm="HS256"),
        jwt.encode(claims, "", algorithm="none"),
        "no.token.atall",
    ]
    for token in forged:
        with pytest.raises(Unauthorized):
            verifier.verify(token)


def test_an_id_that_is_no_guid_is_refused(home: Path) -> None:
    with pytest.raises(LocalError, match="--tenant must be a GUID"):
        issue("acme", home=home)
    with pytest.raises(LocalError, match="--project must be a GUID"):
        issue(TENANT, "p1", home=home)


def test_the_key_is_made_once_for_its_user_alone_however_many_ask(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "home"
    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(lambda _: load_signing_key(folder).private_numbers(), range(4)))
    assert all(key == keys[0] for key in keys)
    assert [path.name for path in folder.iterdir()] == ["signing-key.pem"]
    assert stat.S_IMODE((folder / "signing-key.pem").stat().st_mode) == 0o600


def test_a_key_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "signing-key.pem").write_text("garbage")
    with pytest.raises(LocalError, match="not a private key"):
        load_signing_key(tmp_path)


def test_jobtrack_home_says_where_the_key_is(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("JOBTRACK_HOME", str(home))
    assert Verifier(load_signing_key(home)).verify(issue(TENANT))["iss"] == tokens.ISSUER
