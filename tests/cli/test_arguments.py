"""Flags, config file and defaults become one set of parameters; mistakes are one line."""

from pathlib import Path
from typing import Any

import pytest

from cli.arguments import ArgumentError, make_params, parse
from flows.parameters import CurateParams, EvaluateParams, GenerateParams, RetrainParams


def read(model: type[Any], *arguments: str) -> Any:
    return make_params(model, parse("verb", model, "", arguments))


def test_quota_is_written_once_a_language() -> None:
    params = read(GenerateParams, "--quota", "en=5", "--quota", "ko=7")

    assert params.quota == {"en": 5, "ko": 7}


def test_repeated_flags_make_a_list() -> None:
    params = read(EvaluateParams, "--model", "a", "--model", "b", "--shots", "0", "--shots", "4")

    assert params.model == ("a", "b")
    assert params.shots == (0, 4)


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(
        "name: from-file\nquota: {en: 3, ko: 4}\ncuration:\n  novelty: {threshold: 0.5}\n"
        "  near_duplicates: {threshold: 0.9}\n"
    )

    params = read(
        RetrainParams, "--config", str(config), "--quota", "ko=9",
        "--curation.novelty.threshold", "0.6",
    )  # fmt: skip

    assert params.name == "from-file"
    assert params.quota == {"ko": 9}
    assert params.curation.novelty.threshold == 0.6
    assert params.curation.near_duplicates.threshold == 0.9
    assert (
        params.curation.novelty.korean_threshold
        == RetrainParams().curation.novelty.korean_threshold
    )


@pytest.mark.parametrize(
    ("model", "arguments", "words"),
    [
        (GenerateParams, ["--quota", "fr=3"], "quota.fr.*'en' or 'ko'"),
        (GenerateParams, ["--quota", "en=many"], "quota.en.*integer"),
        (GenerateParams, ["--concurrency", "0"], "concurrency.*greater than or equal to 1.*'0'"),
        (GenerateParams, ["--name", "../up"], "name.*pattern"),
        (GenerateParams, ["--colour", "red"], "unrecognized arguments: --colour.*--help"),
        (CurateParams, ["--stage", "polish"], "stage.0.*'schema'"),
        (CurateParams, ["--novelty.korean-threshold", "7"], "novelty.korean_threshold"),
        (EvaluateParams, [], "model.*required"),
    ],
)
def test_wrong_flag_is_named_in_one_line(
    model: type[Any], arguments: list[str], words: str
) -> None:
    with pytest.raises(ArgumentError, match=words) as caught:
        read(model, *arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("- a\n- b\n", "wanted a mapping of parameters, found list"),
        ("name: [unclosed\n", "is not YAML"),
        ("nmae: demo\n", "c.yaml: nmae: there is no such field"),
        ("quota: 20\n", "quota.*dictionary"),
        ("concurrency: often\n", "concurrency.*integer.*'often'"),
    ],
)
def test_wrong_config_is_named_in_one_line(tmp_path: Path, content: str, words: str) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(content)

    with pytest.raises(ArgumentError, match=words) as caught:
        read(GenerateParams, "--config", str(config))
    assert "\n" not in str(caught.value)


def test_missing_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"none\.yaml: No such file"):
        read(GenerateParams, "--config", str(tmp_path / "none.yaml"))
