"""What is in a version: columns, lengths, kinds of task, and records to look at."""

from collections import Counter

from pipeline.publishing.card.page import Page
from pipeline.publishing.card.words import TASK_NAMES
from pipeline.publishing.statistics.figures import Lengths
from schemas.markdown import code, fence, listed, show_record, table
from schemas.records import Language, Provenance, TaskType

_EXAMPLES_A_LANGUAGE = 2
_SEEDS = 5
_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("id", "hash of the text, 16 hex digits", "내용의 해시, 16진수 16자리"),
    ("instruction, input, output", "the record; input may be empty", "레코드. input은 빌 수 있음"),
    ("language", "en or ko", "en 또는 ko"),
    ("task_type", "the kind of task that was asked for", "요청한 과제의 갈래"),
    ("strategy, teacher", "who wrote it, and how it was asked", "누가 어떤 방식으로 썼는지"),
    (
        "completion_id, position, earlier_completion_ids",
        "the answers it was read from, as in the journal",
        "레코드가 나온 답변. 저널의 키",
    ),
    (
        "seed_ids, derived_from, source_licence",
        "what it descends from, and under which licence",
        "무엇에서 나왔는지와 그 라이선스",
    ),
    ("edited", "whether a reader has rewritten it", "사람이 고쳐 썼는지"),
)


def write_contents(page: Page) -> str:
    """Tell lengths and kinds of task by language, and what the columns are."""
    return page.section(
        "What is in it",
        "무엇이 들어 있나",
        page.picture("lengths"),
        _lengths(page),
        _tasks(page),
        _columns(page),
    )


def write_examples(page: Page) -> str:
    """Show records of each language, chosen by their ids."""
    shown: list[str] = []
    for language in page.languages:
        own = [record for record in page.kept if record.language == language]
        # By id: a fixed choice that nobody picked for its beauty.
        for record in sorted(own, key=lambda one: one.id)[:_EXAMPLES_A_LANGUAGE]:
            name = page.speaker.language_name(language)
            shown.append(f"{name}, {code(record.id)}, {_origin(page, record.provenance)}")
            shown.append(fence(show_record(record.instruction, record.input, record.output)))
    intro = page.say(
        "Chosen by their ids, not for their beauty.",
        "ID 순으로 골랐으며 잘된 것만 뽑지 않았습니다.",
    )
    return page.section("More records", "레코드 더 보기", *([intro, *shown] if shown else []))


def _origin(page: Page, origin: Provenance) -> str:
    if origin.strategy == "import":
        return page.say(f"out of {code(origin.teacher)}", f"출처 {code(origin.teacher)}")
    seeds = [code(seed) for seed in origin.seed_ids]
    more = page.say("and {} more", "외 {}개")
    from_ = listed(seeds, _SEEDS, more) or page.say("none", "없음")
    return page.say(
        f"by {code(origin.teacher)}; seed tasks behind it: {from_}",
        f"교사 {code(origin.teacher)}, 바탕이 된 시드 과제: {from_}",
    )


def _lengths(page: Page) -> str:
    rows: list[list[str]] = []
    for language, figures in page.edition.statistics.languages.items():
        name = page.speaker.language_name(language)
        rows += [
            [name, code(column), *_describe_lengths(lengths)]
            for column, lengths in figures.lengths.items()
        ]
    if not rows:
        return ""
    header = [
        page.say("language", "언어"),
        page.say("column", "열"),
        page.say("records", "레코드(건)"),
        page.say("shortest", "최단"),
        page.say("5th percentile", "하위 5%"),
        page.say("median", "중앙값"),
        page.say("95th percentile", "상위 5%"),
        page.say("longest", "최장"),
    ]
    said = page.say(
        "Lengths in characters, where the column is not empty:",
        "길이는 글자 수이며 빈 칸은 셈에서 뺐습니다.",
    )
    return f"{said}\n\n{table(header, rows, right=6)}"


def _describe_lengths(lengths: Lengths) -> list[str]:
    numbers = (
        lengths.filled,
        lengths.shortest,
        lengths.p5,
        lengths.median,
        lengths.p95,
        lengths.longest,
    )
    return [f"{number:,}" for number in numbers]


def _tasks(page: Page) -> str:
    counts: Counter[tuple[TaskType, Language]] = Counter(
        (one.provenance.task_type, one.language) for one in page.kept
    )
    totals: Counter[TaskType] = Counter()
    for (task, _), number in counts.items():
        totals[task] += number
    if not totals or set(totals) == {"unspecified"}:
        return ""
    kept = page.edition.manifest.kept_by_language
    languages: list[Language] = [name for name in page.languages if kept.get(name)]
    ordered = sorted(totals, key=lambda task: (-totals[task], task))
    rows = [
        [
            TASK_NAMES[task][page.speaker.language],
            *(f"{counts[task, language]:,}" for language in languages),
        ]
        for task in ordered
    ]
    header = [page.say("kind of task", "과제의 갈래")]
    header += [page.speaker.language_name(language) for language in languages]
    said = page.say(
        "Records by the kind of task that was asked for:", "요청한 과제의 갈래별 레코드 수입니다."
    )
    return f"{said}\n\n{table(header, rows, right=len(languages))}"


def _columns(page: Page) -> str:
    rows = [
        [", ".join(code(name) for name in names.split(", ")), page.say(english, korean)]
        for names, english, korean in _COLUMNS
    ]
    return table([page.say("columns", "열"), page.say("meaning", "뜻")], rows)
