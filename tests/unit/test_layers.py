"""The checks of the layers before deployment."""

from pathlib import Path

import pytest

from scripts import layers


def built(folder: Path, *tags: str) -> Path:
    """Return a folder of built layers with one package whose wheel has these tags."""
    info = folder / "DependenciesLayer/python/fast-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "WHEEL").write_text("".join(f"Tag: {tag}\n" for tag in tags))
    return folder


@pytest.mark.parametrize(
    "tag",
    [
        "py3-none-any",
        "py2.py3-none-any",
        "cp313-cp313-manylinux_2_17_aarch64",
        "cp313-cp313-manylinux2014_aarch64",
        "cp39-abi3-manylinux_2_28_aarch64",
    ],
)
def test_what_lambda_loads_is_taken(tmp_path: Path, tag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert layers.main(built(tmp_path, tag)) == 0
    assert "1 wheels" in capsys.readouterr().out


@pytest.mark.parametrize(
    "tag",
    [
        "cp311-cp311-manylinux_2_17_aarch64",
        "cp313-cp313-manylinux_2_17_x86_64",
        "cp313-cp313t-manylinux_2_17_aarch64",
        "cp313-cp313-manylinux_2_39_aarch64",
        "cp313-cp313-musllinux_1_2_aarch64",
        "cp313-cp313-macosx_11_0_arm64",
    ],
)
def test_what_lambda_cannot_load_is_named(tmp_path: Path, tag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert layers.main(built(tmp_path, tag)) == 1
    assert f"UNUSABLE IN LAMBDA: fast-1.0 is for {tag}" in capsys.readouterr().out


def test_layers_too_large_for_a_function_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(layers, "UNZIPPED_LIMIT", 10)
    assert layers.main(built(tmp_path, "py3-none-any")) == 1
    assert "too large for a function" in capsys.readouterr().out
