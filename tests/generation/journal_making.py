"""Exchanges for the journal's tests, made by hand and by hypothesis."""

from hypothesis import strategies as st

from schemas.exchange import Completion, Decoding, Exchange, Message, Prompt, Usage


def make_exchange(
    number: int, text: str = "answer", *, model: str = "m", completion: Completion | None = None
) -> Exchange:
    prompt = Prompt(
        messages=(Message(role="user", content=f"질문 {number}"),),
        decoding=Decoding(),
        strategy="structured",
        language="ko",
        sample_index=number,
    )
    given = completion or Completion(
        id="",
        model=model,
        text=text,
        finish_reason="stop",
        usage=Usage(prompt_tokens=3, completion_tokens=5),
        latency_s=1.25,
        attempts=2,
    )
    return Exchange(prompt, given.model_copy(update={"id": prompt.key(given.model)}))


# What `answers.clean` lets through: every text that UTF-8 can write.
_texts = st.text(st.characters(codec="utf-8"), max_size=40)
_counts = st.integers(0, 2**53)

_prompts = st.builds(
    Prompt,
    messages=st.lists(
        st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), content=_texts),
        max_size=3,
    ).map(tuple),
    raw=_texts,
    decoding=st.builds(Decoding, temperature=st.floats(0, 2), stop=st.tuples(_texts)),
    strategy=_texts,
    language=st.sampled_from(["en", "ko"]),
    seed_ids=st.lists(_texts, max_size=2).map(tuple),
    response_schema=st.none() | st.dictionaries(_texts, _texts | st.integers(-9, 9), max_size=3),
    sample_index=st.integers(0, 10**9),
)
_completions = st.builds(
    Completion,
    id=st.just(""),
    model=_texts,
    text=_texts,
    finish_reason=_texts,
    usage=st.builds(Usage, prompt_tokens=_counts, completion_tokens=_counts),
    latency_s=st.floats(0, 1e9),
    attempts=st.integers(1, 99),
)


def _answer(prompt: Prompt, completion: Completion) -> Exchange:
    return Exchange(prompt, completion.model_copy(update={"id": prompt.key(completion.model)}))


exchanges = st.lists(
    st.builds(_answer, _prompts, _completions),
    max_size=6,
    unique_by=lambda exchange: exchange.completion.id,
)
"""Exchanges of different prompts."""
