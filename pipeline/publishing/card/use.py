"""How to load, export and verify a version, and what each of its files is."""

from pipeline.publishing.card.page import Page
from schemas.markdown import table


def write_use(page: Page) -> str:
    """Show the commands."""
    manifest = page.edition.manifest
    name = f"{manifest.name}/{manifest.version}"
    lines = [
        (
            f"./pacaloom datasets verify {name}",
            page.say(
                "is it whole, and does it follow from its journal?",
                "온전한지, 저널에서 나온 그대로인지",
            ),
        ),
        (
            f"./pacaloom datasets export {name} --format llama-factory --to FOLDER",
            page.say(
                "or alpaca, openai-chat, axolotl …", "alpaca, openai-chat, axolotl 등도 됩니다"
            ),
        ),
        (
            f"./pacaloom finetune --dataset {name} --method lora --student MODEL",
            page.say("train a student on it", "학생 모델 미세조정"),
        ),
        (
            f"./pacaloom why RECORD_ID --dataset {name}",
            page.say("the story of one record", "레코드 하나의 내력"),
        ),
    ]
    commands = "\n\n".join(f"# {said}\n{command}" for command, said in lines)
    return page.section("Use", "쓰는 법", f"```sh\n{commands}\n```", _columns_for_training(page))


def write_files(page: Page) -> str:
    """List the files of the folder."""
    edition = page.edition
    files = [
        ("data/train.parquet", page.say("records to train on", "학습용 레코드")),
        ("data/validation.parquet", page.say("records held out", "검증용 레코드")),
        (
            "rejected.parquet",
            page.say("rejected drafts with their reasons", "거절한 초안과 그 이유"),
        ),
        (
            "report.html",
            page.say("all of it to browse, offline", "모두 둘러보는 페이지. 인터넷 없이 열립니다"),
        ),
        (
            "manifest.json",
            page.say("settings, lineage, sha256 of each file", "설정, 계보, 파일마다의 sha256"),
        ),
        ("statistics.json", page.say("the figures of this card", "이 카드에 실린 수치")),
    ]
    if edition.assessments:
        files.append(("judgements.parquet", page.say("the judge's scores", "심사 점수와 이유")))
    if edition.nearest:
        files.append(("neighbours.parquet", page.say("nearest neighbours", "가장 비슷한 레코드")))
    if edition.decisions:
        files.append(("review.jsonl", page.say("readers' decisions", "사람의 판단")))
    if page.pictures:
        files.append(("figures/", page.say("the pictures of this card", "이 카드의 그림")))
    rows = [[f"`{path}`", said] for path, said in files]
    return page.section(
        "Files", "파일", table([page.say("file", "파일"), page.say("what it is", "내용")], rows)
    )


def _columns_for_training(page: Page) -> str:
    return page.say(
        "`instruction`, `input` and `output` are Alpaca's columns, so trainers that read Alpaca's "
        "format read the Parquet files as they are.",
        "`instruction`, `input`, `output`은 Alpaca의 열과 같으므로 Alpaca 형식을 읽는 도구라면 "
        "Parquet 파일을 그대로 읽을 수 있습니다.",
    )
