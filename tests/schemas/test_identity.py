"""The same content has the same name, however it is handed over."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.identity import digest, digest_models
from schemas.records import Draft, InstructionRecord, Provenance, Rejection

texts = st.text(st.characters(categories=["L", "N", "P", "Z", "Cc", "Cs"]), max_size=20)
origins = st.builds(
    Provenance,
    strategy=texts,
    teacher=texts,
    completion_id=texts,
    position=st.integers(0, 9),
    seed_ids=st.lists(texts, max_size=3).map(tuple),
)
drafts = st.builds(
    Draft, instruction=texts, output=texts, language=st.just("ko"), provenance=origins
)
rejections = st.builds(
    Rejection,
    draft=drafts,
    stage=st.just("novelty"),
    reason=st.just("repeat"),
    detail=texts,
    score=st.none() | st.floats(0, 1),
    also=st.sampled_from([(), ("refusal", "nonsense")]),
)


@given(st.lists(drafts, max_size=3), st.lists(rejections, max_size=3), texts)
def test_models_hash_to_what_their_dumps_hash_to(
    first: list[Draft], second: list[Rejection], text: str
) -> None:
    dumped = digest(
        [one.model_dump(mode="python") for one in first],
        [one.model_dump(mode="python") for one in second],
        text,
    )

    assert digest_models(first, second, text) == dumped


def test_what_a_model_remembers_of_itself_is_not_hashed() -> None:
    record = InstructionRecord(
        instruction="색 하나를 말해 줘.",
        output="파랑",
        language="ko",
        provenance=Provenance(strategy="import", teacher="t", completion_id="f:1"),
    )
    before = digest_models([record])

    assert record.id
    assert digest_models([record]) == before


def test_boundaries_between_lists_count() -> None:
    draft = Draft(language="en", provenance=Provenance(strategy="s", teacher="t", completion_id=""))

    assert digest_models([draft], []) != digest_models([], [draft])
