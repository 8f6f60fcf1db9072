import subprocess
from pathlib import Path

import pytest

from scripts import structure

CHAIN = {"a": {"b"}, "b": {"c"}, "c": set[str](), "apart": set[str]()}
CYCLE = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set[str]()}


ROOT = Path(__file__).parents[2]
VIEW = """
def job() -> Job:
    return {"jobId": 1, "status": 2}
def details() -> dict[str, int]:
    return {"cores": 3}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose client has three rooms, of which two import each other."""
    sources = {
        "client/jobtrack_client/__init__.py": "",
        "client/jobtrack_client/models.py": "class Job:\n    jobId: str\n    status: str\n",
        "client/jobtrack_client/top.py": "from jobtrack_client import inner\n",
        "client/jobtrack_client/inner/__init__.py": "",
        "client/jobtrack_client/inner/part.py": "import jobtrack_client.top\nimport jobtrack_client.models\n",
        "layers/jobtrack/python/jobtrack/views/job.py": VIEW,
        "tests/test_top.py": "assert True\n",
        "untracked.py": "",
    }
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", *(set(sources) - {"untracked.py"})], check=True)
    return tmp_path


def test_floors_are_the_longest_chain_of_imports() -> None:
    assert structure.count_floors(CHAIN) == 3
    assert structure.find_cycles(CHAIN) == []


def test_rooms_of_a_cycle_count_as_one_floor() -> None:
    assert structure.count_floors(CYCLE) == 3
    assert structure.find_cycles(CYCLE) == [{"b", "c"}]


def test_a_checkout_is_measured_from_its_tracked_files(checkout: Path) -> None:
    figures = structure.measure(checkout)
    assert figures["modules, without tests"] == 4
    assert figures["modules, with tests"] == 5
    assert figures["total lines, without tests"] == 11
    assert figures["median lines, without tests"] == "2.5"
    assert figures["client: rooms"] == 3
    assert figures["client: arrows"] == 3
    assert figures["client: floors"] == 2
    assert figures["client: rooms in cycles"] == 2
    assert "local: rooms" not in figures
    assert figures["members: keys of dicts in the layer's views"] == 3
    assert figures["members: keys of dicts without a type in the layer's views"] == 1
    assert figures["members: fields of types in the client's models.py"] == 2


def test_each_checkout_has_a_column(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    structure.main([checkout, checkout])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-2:] for line in lines if line.startswith("client: arrows")] == [["3", "3"]]
    assert lines[-1] == f"{checkout.name}: cycle in client: inner, top"


def test_no_packages_import_each_other_even_for_type_checking() -> None:
    """import-linter does not see imports for type checking; this counts them."""
    assert list(structure.describe_cycles(ROOT)) == []
