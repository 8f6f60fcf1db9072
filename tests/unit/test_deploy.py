"""The parameters that `make deploy` passes to SAM."""

from pathlib import Path

import pytest

from scripts import deploy

TEMPLATE = """
Parameters:
  JwtIssuer: {Type: String}
  Days: {Type: Number, Default: 90}
  Origins: {Type: String, Default: ""}
  ReleaseHash: {Type: String, Default: ""}
"""


@pytest.fixture
def build(tmp_path: Path) -> Path:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "Function").mkdir()
    (tmp_path / "Function/app.py").write_text("pass\n")
    return tmp_path


def config(folder: Path, overrides: str) -> Path:
    made = folder / "samconfig.toml"
    made.write_text(f"[default.deploy.parameters]\nresolve_s3 = true\n{overrides}\n")
    return made


@pytest.mark.parametrize(
    "overrides",
    [
        'parameter_overrides = "JwtIssuer=\\"https://i/\\" Origins=\\"https://a,https://b\\""',
        'parameter_overrides = ["JwtIssuer=https://i/", "Origins=https://a,https://b"]',
        '[default.deploy.parameters.parameter_overrides]\nJwtIssuer = "https://i/"\nOrigins = ["https://a", "https://b"]',
    ],
    ids=["as guided writes it", "a list", "a table"],
)
def test_every_form_of_the_configuration_is_read(overrides: str, build: Path) -> None:
    found = deploy.command(build, config(build, overrides))
    assert found[1:-1] == ["deploy", "--parameter-overrides", 'JwtIssuer="https://i/"', 'Origins="https://a,https://b"']
    assert found[-1].startswith('ReleaseHash="')


def test_a_default_that_is_stated_is_no_change(build: Path) -> None:
    stated = {"JwtIssuer": "https://i/"}
    hashes = {deploy.release_hash(build, deploy.all_values(build, each)) for each in (stated, {**stated, "Days": "90"})}
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("overrides", "fault"),
    [
        ("", "JwtIssuer has no value: add it to parameter_overrides in samconfig.toml"),
        ('parameter_overrides = "JwtIssuer=x Retention=3"', "the template has no parameter Retention"),
        ('parameter_overrides = "JwtIssuer=x ReleaseHash=3"', "the template has no parameter ReleaseHash"),
        ('parameter_overrides = "JwtIssuer"', "parameter_overrides must be NAME=VALUE, not JwtIssuer"),
        ('parameter_overrides = "JwtIssuer=\\"x"', "parameter_overrides cannot be read: No closing quotation"),
        ("parameter_overrides = 5", "parameter_overrides must be a table, a list of NAME=VALUE, or a text, not 5"),
        ("parameter_overrides = [5]", "parameter_overrides must be NAME=VALUE, not 5"),
        ("parameter_overrides = ", "samconfig.toml cannot be read: Invalid value"),
    ],
)
def test_what_cannot_be_deployed_is_said(overrides: str, fault: str, build: Path) -> None:
    with pytest.raises(deploy.DeployError, match=fault):
        deploy.command(build, config(build, overrides))


def test_nothing_built(tmp_path: Path) -> None:
    with pytest.raises(deploy.DeployError, match="run make build"):
        deploy.command(tmp_path, config(tmp_path, 'parameter_overrides = "JwtIssuer=x"'))


def test_the_repositorys_own_configuration_names_what_is_missing(
    build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deploy, "BUILD", build)
    assert deploy.main([]) == 1
    assert capsys.readouterr().err.startswith("NOT DEPLOYED: JwtIssuer has no value")
