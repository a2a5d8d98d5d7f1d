"""Settings are shown without secrets, and what does nothing is told."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr

from flows.configuration import (
    EnvironmentFile,
    find_unknown_variables,
    mask_address,
    read_environment_file,
    show_settings,
)
from flows.settings import EnvironmentFileError, Settings, name_variables

KEY = "sk-very-secret-1234"
NO_FILE = EnvironmentFile({}, {}, ())


def test_environment_wins_over_the_file_and_the_file_over_the_default() -> None:
    file = EnvironmentFile({"HF_ENDPOINT": "http://b", "OPENAI_BASE_URL": "http://c"}, {}, ())
    shown = show_settings(
        Settings(hf_endpoint="http://a", base_url="http://c"),
        # Names are compared as pydantic does it; what is empty counts as unset.
        {"hf_endpoint": "http://a", "OPENAI_BASE_URL": ""},
        file,
    )

    sources = {one.variable: one.source for one in shown}
    assert sources["HF_ENDPOINT"] == "environment"
    assert sources["OPENAI_BASE_URL"] == ".env"
    assert sources["PACALOOM_CACHE"] == "default"


def test_no_part_of_a_secret_is_shown() -> None:
    settings = Settings(
        api_key=SecretStr(KEY),
        hf_token=SecretStr(KEY),
        base_url=f"https://me:{KEY}@api.example/v1?key={KEY}",
    )

    shown = show_settings(settings, {"OPENAI_API_KEY": KEY}, NO_FILE)

    values = {one.variable: one.value for one in shown}
    assert values["OPENAI_API_KEY"] == values["HF_TOKEN"] == "set, hidden"
    assert values["OPENAI_BASE_URL"] == "https://…@api.example/v1?…"
    assert not [one for one in shown if "1234" in one.model_dump_json()]


def test_every_address_of_several_is_masked() -> None:
    addresses = f"http://a:{KEY}@one/v1*2\nhttp://b:{KEY}@two/v1"

    shown = show_settings(Settings(endpoints=addresses), {}, NO_FILE)

    values = {one.variable: one.value for one in shown}
    assert values["PACALOOM_ENDPOINTS"] == "http://…@one/v1*2\nhttp://…@two/v1"


def test_settings_that_are_named_like_secrets_are_kept_as_secrets() -> None:
    secret = [
        field
        for field, variable in name_variables().items()
        if re.search("KEY|TOKEN|PASSWORD|SECRET|NOTIFY", variable)
    ]

    assert len(secret) >= 4
    for field in secret:
        assert SecretStr in get_args(Settings.model_fields[field].annotation), field


def test_every_setting_says_in_a_sentence_what_it_decides() -> None:
    shown = show_settings(Settings(), {}, NO_FILE)

    assert [one.variable for one in shown] == list(name_variables().values())
    assert not [one.variable for one in shown if not one.decides.endswith(".")]


def test_address_that_is_none_is_hidden_whole() -> None:
    assert mask_address(f"http://[{KEY}") == "set, not a URL, hidden"


def test_password_with_a_slash_is_hidden() -> None:
    assert mask_address("http://me:pa/ss@host:4200/api?k=v") == "http://…@host:4200/api?…"


def test_lines_of_the_file_that_are_passed_over_are_told_without_what_stands_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / ".env"
    path.write_text(
        f"# keys\n\nOPENAI_API_KEY='a'\n{KEY} {KEY}\nHF_TOKEN\nOPENAI_API_KEY=b\n출력=가\n"
    )

    file = read_environment_file(path)

    assert file.values == {"OPENAI_API_KEY": "b", "출력": "가"}
    assert file.faults == (
        f"{path}:4: wanted NAME=VALUE; this line is passed over.",
        f"{path}:5: HF_TOKEN has no value; write HF_TOKEN=VALUE.",
        f"{path}:6: OPENAI_API_KEY stands in line 3 too; this one counts.",
    )


def test_file_that_is_no_text_is_refused_and_an_absent_one_is_empty(tmp_path: Path) -> None:
    (tmp_path / "utf16").write_bytes("A=1".encode("utf-16"))

    with pytest.raises(EnvironmentFileError, match="wanted lines of NAME=VALUE in UTF-8"):
        read_environment_file(tmp_path / "utf16")

    assert read_environment_file(tmp_path / ".env") == NO_FILE


def test_misspelt_variables_are_told_with_the_nearest_name() -> None:
    path = Path("/p/.env")
    file = EnvironmentFile(
        {"HF_TOKENS": "x", "PREFECT_LOGGING_LEVEL": "DEBUG", "COLOUR": "red"},
        {"HF_TOKENS": 1, "PREFECT_LOGGING_LEVEL": 2, "COLOUR": 3},
        (),
    )
    environment = {"PACALOOM_OUTPUT": "/o", "PACALOOM_CACHE": "/c", "HOME": "/h"}

    assert find_unknown_variables(environment, file, path) == (
        "PACALOOM_OUTPUT is set, but there is no such setting; did you mean PACALOOM_OUTPUTS?",
        "/p/.env:1: there is no setting HF_TOKENS, and nothing else is read from here; did you "
        "mean HF_TOKEN?",
        "/p/.env:3: there is no setting COLOUR, and nothing else is read from here; `./pacaloom "
        "settings` lists them.",
    )
