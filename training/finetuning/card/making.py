"""What a student was made from: dataset, template, base, contract and recipe."""

from collections.abc import Sequence

from schemas.markdown import code, listed, table
from schemas.records import LANGUAGES
from training.finetuning.card.page import Page
from training.finetuning.explanation import ExplainedSetting
from training.finetuning.methods import METHODS
from training.finetuning.recipe import Recipe


def write_making(page: Page) -> str:
    """Name all that decided the weights, by version and hash."""
    manifest, dataset = page.manifest, page.dataset
    base = page.base.hub_id or page.base.label
    teachers = listed([code(name) for name in sorted(dataset.teachers)], 5, "+{}")
    template = str(manifest.recipe.get("template", ""))
    libraries = ", ".join(f"{name} {number}" for name, number in manifest.libraries.items())
    rows = [
        (page.say("base", "원본"), f"{code(base)}, sha256 {code(manifest.student_sha256)}"),
        (
            page.say("dataset", "데이터셋"),
            f"{code(manifest.dataset)}, {page.say('content hash', '콘텐츠 해시')} "
            f"{code(manifest.dataset_content_hash)}",
        ),
        (page.say("its rows come from", "데이터를 쓴 모델"), teachers),
        (
            page.say("template", "템플릿"),
            f"{code(template)}, {page.say('hash', '해시')} {code(manifest.template_hash)}",
        ),
        (page.say("libraries", "라이브러리"), libraries),
        (page.say("code", "코드"), code(manifest.code_version)),
    ]
    return page.section("What it was made from", "무엇으로 만들었나", table(("", ""), rows))


def write_contract(page: Page) -> str:
    """Say what the check of the rows found before the first step."""
    found = page.manifest.contract
    train, held_out = found.rows.get("train", 0), found.rows.get("validation", 0)
    share = found.trained_tokens / found.tokens if found.tokens else 0.0
    spoken = ", ".join(
        f"{page.language_name(language)} {found.languages[language]:,}"
        for language in LANGUAGES
        if found.languages.get(language)
    )
    rows = [
        (page.say("rows trained on", "학습한 행"), f"{train:,} ({spoken})"),
        (page.say("rows held out", "검증용 행"), f"{held_out:,}"),
        (page.say("left out as too long", "너무 길어 뺀 행"), f"{found.overlong:,}"),
        (
            page.say("tokens", "토큰"),
            page.say(
                f"{found.tokens:,}, of which {found.trained_tokens:,} ({share:.0%}) are answers "
                "and their stop tokens and carry the loss",
                f"{found.tokens:,}개. 이 가운데 손실을 계산하는 답과 종료 토큰은 "
                f"{found.trained_tokens:,}개({share:.0%})",
            ),
        ),
        (
            page.say("tokens a row", "행당 토큰"),
            page.say(
                f"median {found.length_median:,}, longest {found.length_longest:,}",
                f"중앙값 {found.length_median:,}, 최대 {found.length_longest:,}",
            ),
        ),
        (page.say("rows that repeat another", "다른 행과 같은 행"), f"{found.duplicates:,}"),
    ]
    return page.section(
        "The rows, as they were checked",
        "학습 전 데이터 점검",
        page.say(
            "Of every row it was proved before the first step that exactly its answer and one stop "
            "token are trained.",
            "첫 스텝 전에 모든 행을 점검해, 답과 종료 토큰 하나만 학습된다는 것을 확인했습니다.",
        ),
        table(("", ""), rows),
    )


def write_recipe(page: Page) -> str:
    """Show what was chosen, and fold away all the rest."""
    chosen = [setting for setting in page.settings if setting.chosen_by == "you"]
    lead = page.say(
        "Chosen for this run; the origin is that of the default:"
        if chosen
        else "Every setting has the default of its method.",
        "이 실행에서 바꾼 설정입니다. 근거(영어)는 기본값에 관한 것입니다:"
        if chosen
        else "모든 설정이 이 방식의 기본값입니다.",
    )
    everything = page.say(
        f"All {len(page.settings)} settings, with the origin of each default",
        f"설정 {len(page.settings)}개 전부와 기본값의 근거(영어)",
    )
    folded = (
        f"<details>\n<summary>{everything}</summary>\n\n"
        f"{_lay_out(page, page.settings)}\n\n</details>"
    )
    return page.section("Recipe", "학습 설정", lead, _compare(page, chosen), folded)


def _compare(page: Page, chosen: Sequence[ExplainedSetting]) -> str:
    """Lay out chosen values beside the defaults that they replace."""
    header = (
        page.say("setting", "설정"),
        page.say("value", "값"),
        page.say("default", "기본값"),
        page.say("origin of the default", "기본값의 근거"),
    )
    rows = [(code(one.name), one.value, _default(page, one.name), one.origin) for one in chosen]
    return table(header, rows) if rows else ""


def _default(page: Page, name: str) -> str:
    """Show what the method, or the recipe, has by default; a dash where something else decides."""
    field = METHODS[page.manifest.method].model_fields.get(name) or Recipe.model_fields[name]
    value: object = field.get_default()
    if isinstance(value, bool):
        return "on" if value else "off"
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _lay_out(page: Page, settings: Sequence[ExplainedSetting]) -> str:
    header = (
        page.say("setting", "설정"),
        page.say("value", "값"),
        page.say("origin of the default", "기본값의 근거"),
    )
    return table(header, [(code(one.name), one.value, one.origin) for one in settings])
