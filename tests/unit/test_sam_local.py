"""The files for `sam local`."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobtrack_local.errors import LocalError
from jobtrack_local.template import intrinsics, template
from scripts import sam_local

ENGINE = "http://127.0.0.1:4566"
PLAN = template.load()
NAMES = intrinsics.Names(
    refs={**PLAN.defaults, "AWS::Region": "us-east-1", **{name: name for name in (*PLAN.tables, *PLAN.queues)}},
    attributes={(name, "Arn"): name for name in PLAN.keys},
)
VALUES = sam_local.variables(PLAN, NAMES, ENGINE)


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """Return a folder with a template of `sam build`."""
    resources: dict[str, Any] = {name: {"Properties": {"CodeUri": name}} for name in PLAN.functions}
    resources["LogsFunction"]["Properties"]["Environment"] = {"Variables": {"JOBS_TABLE": {"Ref": "JobsTable"}}}
    (tmp_path / "template.yaml").write_text(yaml.safe_dump({"Resources": resources}))
    return tmp_path


def test_each_function_is_told_its_own_and_where_the_engine_is() -> None:
    assert VALUES.keys() == PLAN.functions.keys()
    logs = VALUES["LogsFunction"]
    assert (logs["JOBS_TABLE"], logs["AWS_ENDPOINT_URL_DYNAMODB"]) == ("JobsTable", ENGINE)
    assert "SECRETS_KEY_ID" not in logs


def test_every_value_is_of_a_variable_that_the_template_names(build: Path) -> None:
    sam_local.write_files(build, VALUES)
    assert json.loads((build / sam_local.VALUES).read_text()) == VALUES
    resources = yaml.safe_load((build / sam_local.TEMPLATE).read_text())["Resources"]
    for function, given in VALUES.items():
        assert resources[function]["Properties"]["Environment"]["Variables"].keys() == given.keys()
        assert resources[function]["Properties"]["CodeUri"] == function


def test_what_the_template_says_itself_stays(build: Path) -> None:
    sam_local.write_files(build, VALUES)
    resources = yaml.safe_load((build / sam_local.TEMPLATE).read_text())["Resources"]
    assert resources["LogsFunction"]["Properties"]["Environment"]["Variables"]["JOBS_TABLE"] == {"Ref": "JobsTable"}


def test_without_a_build_it_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="make build"):
        sam_local.write_files(tmp_path, VALUES)
