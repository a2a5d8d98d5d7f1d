"""What a version cannot do, and what nobody knows about it."""

from collections import Counter
from typing import get_args

from pipeline.publishing.card.overview import name_teachers
from pipeline.publishing.card.page import Page
from pipeline.publishing.card.reasons import WITHHELD
from pipeline.publishing.card.words import TASK_NAMES
from schemas.markdown import code, listed
from schemas.records import LANGUAGES, Language, TaskType

_SCARCE = 0.02
_MOST_LICENCES = 10


def write_limits(page: Page) -> str:
    """List them, those that decide about use first."""
    limits = [
        _machine_written(page),
        _terms(page),
        _documents(page),
        _sensitive(page),
        *(_gaps(page, language) for language in LANGUAGES),
        _cultures(page),
    ]
    return page.section(
        "Known limits", "알려진 한계", "\n".join(f"- {limit}" for limit in limits if limit)
    )


def _machine_written(page: Page) -> str:
    manifest = page.edition.manifest
    review = manifest.review
    read = 0 if review is None else review.accepted + review.edited + review.rejected
    if not manifest.runs:
        return page.say(
            f"The records come from {name_teachers(page)}. Pacaloom does not know who or what "
            "wrote them, nor whether they are right.",
            f"레코드의 출처는 {name_teachers(page)}입니다. 누가 썼는지, 내용이 맞는지 Pacaloom은 "
            "알지 못합니다.",
        )
    checked = page.say("no person has checked them", "사람이 확인하지 않았습니다")
    if read:
        checked = page.say(
            f"people have read {read:,} of them", f"그 가운데 {read:,}건만 사람이 읽었습니다"
        )
    return page.say(
        f"The records are machine-written, and {checked}. The rules find what is malformed, "
        "repeated or leaked. They do not find a fact that is wrong.",
        f"모두 기계가 쓴 글이며 {checked}. 규칙은 형식이 깨진 것, 되풀이한 것, 유출된 것을 "
        "찾을 뿐 틀린 사실을 찾지는 못합니다.",
    )


def _terms(page: Page) -> str:
    manifest = page.edition.manifest
    if not manifest.runs:
        return page.say(
            f"{code(manifest.licence)} is what the publisher declared. Check the terms of the "
            "source before you train on it or pass it on.",
            f"{code(manifest.licence)} 라이선스는 발행한 사람이 밝힌 것입니다. 학습에 쓰거나 "
            "나누어 주기 전에 출처의 조건을 확인하세요.",
        )
    return page.say(
        f"{code(manifest.licence)} is the licence of this collection. Whether you may train on "
        f"the answers of {name_teachers(page)} is decided by that model's licence or terms of "
        "use, which this version does not record.",
        f"{code(manifest.licence)} 라이선스는 이 데이터셋 자체에 적용됩니다. 교사 "
        f"모델({name_teachers(page)})의 답으로 학습해도 되는지는 그 모델의 라이선스나 이용 약관에 "
        "달려 있으며, 그 내용은 여기에 적혀 있지 않습니다.",
    )


def _documents(page: Page) -> str:
    licences = Counter(
        record.provenance.source_licence for record in page.kept if record.provenance.source_licence
    )
    if not licences:
        return ""
    named = [f"{code(name)} ({number:,})" for name, number in licences.most_common()]
    shown = listed(named, _MOST_LICENCES, page.say("and {} more", "외 {}개"))
    return page.say(
        f"Records made from documents stand under the documents' licences, by number of records: "
        f"{shown}. See the column `source_licence`.",
        f"문서에서 만든 레코드에는 문서의 라이선스가 적용됩니다(괄호 안은 건수): {shown}. "
        "`source_licence` 열을 보세요.",
    )


def _sensitive(page: Page) -> str:
    rejected = page.edition.manifest.rejected
    found = sum(rejected.get(reason, 0) for reason in WITHHELD)
    if not found:
        return ""
    return page.say(
        f"`rejected.parquet` and `report.html` hold {found:,} drafts that were rejected for "
        "personal data or keys. Leave both files out where the dataset is made public.",
        f"`rejected.parquet`와 `report.html`에는 개인정보나 키 때문에 거절한 초안 {found:,}건이 "
        "들어 있습니다. 데이터셋을 공개할 때에는 두 파일을 빼세요.",
    )


def _gaps(page: Page, language: Language) -> str:
    """Name the kinds of task that are missing or scarce in a language."""
    own = [one.provenance.task_type for one in page.kept if one.language == language]
    counts = Counter(task for task in own if task != "unspecified")
    name = page.speaker.language_name(language)
    if not own:
        return page.say(f"There is no {name} in it.", f"{name} 레코드는 없습니다.")
    if not counts:
        return page.say(
            f"Which kinds of task the {name} records hold is not known.",
            f"{name} 레코드에 어떤 갈래의 과제가 있는지는 알 수 없습니다.",
        )
    kinds: tuple[TaskType, ...] = tuple(
        kind for kind in get_args(TaskType) if kind != "unspecified"
    )
    names = {kind: TASK_NAMES[kind][page.speaker.language] for kind in kinds}
    missing = [names[kind] for kind in kinds if not counts[kind]]
    scarce = [names[kind] for kind in kinds if 0 < counts[kind] < _SCARCE * len(own)]
    return " ".join([*_list_missing(page, name, missing), *_list_scarce(page, name, scarce)])


def _list_missing(page: Page, name: str, kinds: list[str]) -> list[str]:
    listed_kinds = ", ".join(kinds)
    said = page.say(
        f"Kinds of task with no {name} record: {listed_kinds}.",
        f"{name} 레코드가 하나도 없는 과제: {listed_kinds}.",
    )
    return [said] if kinds else []


def _list_scarce(page: Page, name: str, kinds: list[str]) -> list[str]:
    listed_kinds = ", ".join(kinds)
    said = page.say(
        f"Kinds with less than 2% of the {name} records each: {listed_kinds}.",
        f"{name} 레코드의 2%에 못 미치는 과제: {listed_kinds}.",
    )
    return [said] if kinds else []


def _cultures(page: Page) -> str:
    if not page.edition.manifest.runs:
        return page.say(
            "Nobody has balanced subjects, names and opinions.",
            "소재와 이름, 의견의 균형을 따로 맞추지 않았습니다.",
        )
    return page.say(
        "Subjects, names and opinions follow the seed tasks and the teacher's habits. Nobody has "
        "balanced them.",
        "소재와 이름, 의견은 시드 과제와 교사 모델의 성향을 따르며 따로 균형을 맞추지 않았습니다.",
    )
