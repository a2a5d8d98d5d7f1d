"""How a version was made, what it cost, and how to make it again."""

from collections.abc import Mapping

from pydantic import JsonValue

from pipeline.publishing.card.page import Page
from pipeline.publishing.card.speaker import percent
from schemas.manifest import GenerationRun
from schemas.markdown import code, listed, table

_MOST_LISTED = 10
_MILLION = 1_000_000


def write_cost(page: Page) -> str:
    """Tell rounds, answers, tokens, and US dollars where the price was written down."""
    manifest = page.edition.manifest
    if not manifest.runs:
        return ""
    drafts = sum(run.generated for run in manifest.runs)
    admitted = sum(sum(run.admitted.values()) for run in manifest.runs)
    rows = [
        [page.say("runs", "실행"), f"{len(manifest.runs):,}"],
        [page.say("rounds of prompts", "프롬프트 라운드"), _count_rounds(page)],
        [page.say("answers behind the drafts", "초안이 나온 답변"), f"{_count_answers(page):,}"],
        [page.say("drafts", "초안"), f"{drafts:,}"],
        [
            page.say("admitted on arrival", "생성 중 채택"),
            f"{admitted:,} ({percent(admitted, drafts)})",
        ],
        [
            page.say("tokens read by the teacher", "교사가 읽은 토큰(프롬프트)"),
            f"{manifest.prompt_tokens:,}",
        ],
        [page.say("tokens written", "교사가 쓴 토큰(답변)"), f"{manifest.completion_tokens:,}"],
        [page.say("US dollars", "미국 달러"), _price(page)],
    ]
    if manifest.kept:
        tokens = (manifest.prompt_tokens + manifest.completion_tokens) / manifest.kept
        rows.append(
            [page.say("tokens for a kept record", "남긴 레코드 하나에 든 토큰"), f"{tokens:,.0f}"]
        )
    return page.section(
        "Rounds and cost",
        "라운드와 비용",
        page.picture("rounds"),
        table([page.say("what", "항목"), page.say("number", "수")], rows, right=1),
    )


def write_making(page: Page) -> str:
    """Tell what the drafts were made from and by what, and the commands that do it again."""
    manifest = page.edition.manifest
    more = page.say("and {} more", "외 {}개")
    strategies = [
        page.say(f"{code(name)} ({number:,} drafts)", f"{code(name)}({number:,}건)")
        for name, number in manifest.strategies.items()
    ]
    teachers = [
        page.say(f"{code(name)} ({number:,} drafts)", f"{code(name)}({number:,}건)")
        for name, number in sorted(manifest.teachers.items(), key=lambda one: (-one[1], one[0]))
    ]
    seeds = [
        page.say(
            f"{code(seed.path)} (sha256 `{seed.sha256[:12]}`)",
            f"{code(seed.path)}(sha256 `{seed.sha256[:12]}`)",
        )
        for seed in manifest.seeds
    ]
    against = [code(name) for name in manifest.against]
    facts = [
        (_name_sources(page), teachers),
        (page.say("Strategies", "전략"), strategies),
        (_name_seeds(page), seeds),
        (page.say("Had to differ from", "겹치지 않아야 했던 이전 버전"), against),
        (page.say("Stopped because", "생성이 끝난 이유"), _endings(manifest.runs)),
        (page.say("Code", "코드 버전"), [code(manifest.code_version)]),
        (page.say("Content hash", "내용 해시"), [code(manifest.content_hash)]),
    ]
    lines = [f"- {name}: {listed(items, _MOST_LISTED, more)}" for name, items in facts if items]
    return page.section("How it was made", "어떻게 만들었나", "\n".join(lines), _again(page))


def write_parents(page: Page) -> str:
    """Tell what a mixture was drawn from, and under which licences."""
    parents = page.edition.manifest.parents
    if not parents:
        return ""
    rows = [
        [
            code(parent.source),
            code(parent.revision[:12]),
            f"{parent.taken:,}",
            f"{parent.available:,}",
            "–" if parent.weight is None else f"{parent.weight:.0%}",
            code(parent.licence) if parent.licence else page.say("unknown", "알 수 없음"),
        ]
        for parent in parents
    ]
    header = [
        page.say("source", "출처"),
        page.say("revision", "리비전"),
        page.say("records taken", "가져온 레코드(건)"),
        page.say("of", "전체(건)"),
        page.say("share asked for", "요청한 비율"),
        page.say("licence", "라이선스"),
    ]
    return page.section(
        "What it was mixed from",
        "무엇을 섞었나",
        table(header, rows),
        page.say(
            "Records are counted as drawn, before they were curated together. Each licence holds "
            "for its own records.",
            "함께 거르기 전에 가져온 수입니다. 각 레코드에는 출처의 라이선스가 적용됩니다.",
        ),
    )


def _again(page: Page) -> str:
    manifest = page.edition.manifest
    if manifest.parents:
        return page.say(
            "`manifest.json` names each parent with its revision, and all settings.",
            "출처별 리비전과 모든 설정은 `manifest.json`에 있습니다.",
        )
    if not manifest.runs:
        return page.say(
            "To make it again, curate the same file: "
            f"`./pacaloom curate --name {manifest.name} --input FILE`. `manifest.json` has all "
            "settings.",
            f"다시 만들려면 같은 파일을 거르면 됩니다: `./pacaloom curate --name {manifest.name} "
            "--input FILE`. 모든 설정은 `manifest.json`에 있습니다.",
        )
    return page.say(
        "`manifest.json` has all settings, the random seed among them. Who has the journal, in "
        "which every answer of the teacher stands, makes the version again without asking "
        f"anybody: `./pacaloom curate --name {manifest.name}`.",
        "난수 시드를 비롯한 모든 설정은 `manifest.json`에 있습니다. 교사 모델의 답은 모두 저널에 "
        "남아 있으므로, 저널만 있으면 아무 요청도 보내지 않고 이 버전을 다시 만들 수 있습니다: "
        f"`./pacaloom curate --name {manifest.name}`.",
    )


def _name_sources(page: Page) -> str:
    if page.edition.manifest.runs:
        return page.say("Teachers", "교사 모델")
    return page.say("Sources", "출처")


def _name_seeds(page: Page) -> str:
    if page.edition.manifest.runs:
        return page.say("Seed tasks", "시드 과제")
    return page.say("Compared with the seed tasks", "비교한 시드 과제")


def _endings(runs: tuple[GenerationRun, ...]) -> list[str]:
    return [code(run.stopped_because) for run in runs]


def _count_rounds(page: Page) -> str:
    rounds = len(page.edition.statistics.rounds)
    return f"{rounds:,}" if rounds else page.say("not written down", "기록 없음")


def _count_answers(page: Page) -> int:
    answers: set[str] = set()
    origins = [record.provenance for record in page.kept]
    origins += [rejection.draft.provenance for rejection in page.edition.rejected]
    for origin in origins:
        answers.add(origin.completion_id)
        answers.update(origin.earlier_completion_ids)
    return len(answers)


def _price(page: Page) -> str:
    """Add the runs up at the prices that they were given, discounts left aside."""
    total = 0.0
    for run in page.edition.manifest.runs:
        price = run.config.get("price")
        rates = _read_rates(price) if isinstance(price, dict) else None
        if rates is None:
            return page.say("unknown, no price was given", "가격을 지정하지 않아 알 수 없음")
        total += (run.prompt_tokens * rates[0] + run.completion_tokens * rates[1]) / _MILLION
    return f"{total:,.2f}"


def _read_rates(price: Mapping[str, JsonValue]) -> tuple[float, float] | None:
    read, written = price.get("input"), price.get("output")
    if isinstance(read, int | float) and isinstance(written, int | float):
        return float(read), float(written)
    return None
