"""The profile of the service that runs: there while it does, and the latest one's."""

import stat
from pathlib import Path

from jobtrack_client.profiles import LOCAL_FILE, profile
from local.profile import PROJECT, TENANT, kept


def url(home: Path) -> str | None:
    return profile({"JOBTRACK_HOME": str(home)}).url


def test_it_is_there_while_the_service_runs(tmp_path: Path) -> None:
    with kept("http://127.0.0.1:8080", tmp_path / "home"):
        found = profile({"JOBTRACK_HOME": str(tmp_path / "home")})
        assert (found.url, found.tenant, found.project) == ("http://127.0.0.1:8080", TENANT, PROJECT)
        assert isinstance(found.token_command, tuple)
        assert stat.S_IMODE((tmp_path / "home" / LOCAL_FILE).stat().st_mode) == 0o600
    assert url(tmp_path / "home") is None
    assert not [*(tmp_path / "home").iterdir()]


def test_of_several_services_the_latest_has_it(tmp_path: Path) -> None:
    with kept("http://127.0.0.1:1", tmp_path):
        with kept("http://127.0.0.1:2", tmp_path):
            assert url(tmp_path) == "http://127.0.0.1:2"
        assert url(tmp_path) is None


def test_one_that_ends_leaves_the_profile_of_a_later_one(tmp_path: Path) -> None:
    first, second = kept("http://127.0.0.1:1", tmp_path), kept("http://127.0.0.1:2", tmp_path)
    first.__enter__()
    with second:
        first.__exit__(None, None, None)
        assert url(tmp_path) == "http://127.0.0.1:2"


def test_a_file_that_somebody_broke_is_left(tmp_path: Path) -> None:
    with kept("http://127.0.0.1:1", tmp_path):
        (tmp_path / LOCAL_FILE).write_text("not = toml =")
    assert (tmp_path / LOCAL_FILE).exists()
