"""A version arrives on a hub whole, once, private and under its tag; or not at all."""

import logging
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.pushing import MissingTokenError, PushOutcome, PushParams, push_dataset
from flows.settings import Settings
from pipeline.generation.journal.journal import Journal
from pipeline.publishing.hub.contents import DamagedFileError
from pipeline.publishing.hub.failures import HubBusyError, HubError, HubRefusalError
from pipeline.publishing.hub.plan import RepositoryConflictError
from pipeline.publishing.hub.repository import HubRequestError
from schemas.errors import PacaloomError
from schemas.storage import ManifestError
from tests.publishing.hub_stand_in import TOKEN, Fault, Hub, Repository, serve_hub
from tests.publishing.hub_versions import make_version, read_all

# huggingface_hub hands files to httpx2 in a way that httpx2 advises against.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

TEXTS = ["List three fruits.", "과일 세 가지를 말해 줘.", "Name a tree.", "나무 이름을 말해 줘."]
REPOSITORY = "me/fruit"
ATTRIBUTES = ".gitattributes"


@pytest.fixture(scope="module")
def shared_hub() -> Generator[Hub]:
    with serve_hub() as hub:
        yield hub


@pytest.fixture
def hub(shared_hub: Hub) -> Hub:
    shared_hub.repositories.clear()
    shared_hub.objects.clear()
    shared_hub.faults.clear()
    shared_hub.requests.clear()
    shared_hub.ignored.clear()
    shared_hub.accepts = TOKEN
    return shared_hub


def push(hub: Hub, outputs: Path, token: str | None = TOKEN, **asked: str | bool) -> PushOutcome:
    settings = Settings(
        outputs=outputs, hf_endpoint=hub.url, hf_token=SecretStr(token) if token else None
    )
    params = PushParams("fruit", REPOSITORY, yes=True)._replace(**asked)
    return push_dataset(params, settings, wait=lambda seconds: None)


def arrived(hub: Hub) -> dict[str, bytes]:
    files = hub.repositories[REPOSITORY].files
    return {path: content for path, content in files.items() if path != ATTRIBUTES}


def test_every_file_arrives_byte_for_byte_in_one_private_tagged_commit(
    hub: Hub, tmp_path: Path
) -> None:
    folder = make_version(tmp_path, 1, TEXTS)

    outcome = push(hub, tmp_path, message="과일 첫 판")

    repository = hub.repositories[REPOSITORY]
    assert arrived(hub) == read_all(folder)
    assert repository.private
    assert repository.tags == {folder.name: repository.head}
    assert outcome.commit == repository.head
    assert [message for message, _ in repository.messages] == ["initial commit", "과일 첫 판"]
    assert "data/train.parquet" in repository.lfs


def test_dry_run_names_what_would_be_sent_and_changes_nothing(hub: Hub, tmp_path: Path) -> None:
    folder = make_version(tmp_path, 1, TEXTS)

    outcome = push(hub, tmp_path, yes=False)

    assert {file.path for file in outcome.plan.added} == read_all(folder).keys()
    assert outcome.plan.sent_bytes == sum(len(content) for content in read_all(folder).values())
    assert outcome.plan.makes_repository
    assert outcome.plan.is_private
    assert outcome.commit is None
    assert all(request.startswith(("GET ", "HEAD ")) for request in hub.requests)


def test_dry_run_needs_no_token_and_a_push_does(hub: Hub, tmp_path: Path) -> None:
    make_version(tmp_path, 1, TEXTS)

    assert push(hub, tmp_path, token=None, yes=False).plan.makes_repository
    with pytest.raises(MissingTokenError, match="HF_TOKEN is not set"):
        push(hub, tmp_path, token=None)


def test_second_push_of_a_version_finds_it_there_and_sends_nothing(
    hub: Hub, tmp_path: Path
) -> None:
    make_version(tmp_path, 1, TEXTS)
    first = push(hub, tmp_path)
    hub.requests.clear()

    second = push(hub, tmp_path)

    assert second.plan.is_tagged
    assert second.commit == first.commit
    assert second.plan.sent_bytes == 0
    assert all(request.startswith(("GET ", "HEAD ")) for request in hub.requests)


def test_next_version_is_a_commit_that_leaves_no_file_of_the_one_before(
    hub: Hub, tmp_path: Path
) -> None:
    old = make_version(tmp_path, 1, TEXTS, review=True)
    push(hub, tmp_path, with_review=True)
    hub.repositories[REPOSITORY].files["LICENSE"] = b"added by hand"
    new = make_version(tmp_path, 2, ["Name a lake.", "Name a sea.", "호수 이름을 말해 줘."])

    outcome = push(hub, tmp_path)

    repository = hub.repositories[REPOSITORY]
    assert outcome.plan.removed == ("review.jsonl",)
    assert [file.path for file in outcome.plan.unchanged] == ["README.md"]
    assert arrived(hub) == {**read_all(new), "LICENSE": b"added by hand"}
    assert set(repository.tags) == {old.name, new.name}
    assert repository.tags[new.name] == repository.head
    tagged = repository.at(old.name)
    assert tagged is not None
    assert tagged[1]["review.jsonl"] == (old / "review.jsonl").read_bytes()


def test_older_version_sent_after_a_newer_one_is_found_under_its_tag(
    hub: Hub, tmp_path: Path
) -> None:
    old = make_version(tmp_path, 1, TEXTS)
    push(hub, tmp_path)
    new = make_version(tmp_path, 2, ["Name a lake.", "Name a sea."])
    push(hub, tmp_path)

    assert push(hub, tmp_path, dataset=f"fruit/{old.name}").plan.is_tagged
    assert arrived(hub) == read_all(new)


def test_readers_names_and_the_journal_stay_here_unless_asked_for(hub: Hub, tmp_path: Path) -> None:
    make_version(tmp_path, 1, TEXTS, review=True)

    outcome = push(hub, tmp_path)

    stayed = {"review.jsonl", "journal.jsonl.gz"}
    assert {left.path for left in outcome.left_out} == stayed
    assert stayed.isdisjoint(arrived(hub))
    assert "report.html" in arrived(hub)
    assert "review.jsonl" in hub.repositories[REPOSITORY].messages[-1][1]


def test_report_with_prompts_and_answers_goes_with_the_journal_only(
    hub: Hub, tmp_path: Path
) -> None:
    make_version(tmp_path, 1, TEXTS, strategy="structured")
    Journal(tmp_path / "journals" / "fruit.sqlite").close()

    alone = push(hub, tmp_path, yes=False)
    together = push(hub, tmp_path, with_journal=True)

    assert {left.path for left in alone.left_out} == {"report.html", "journal.jsonl.gz"}
    assert together.left_out == ()
    assert "report.html" in arrived(hub)


def test_journal_travels_as_an_export_when_asked_for(hub: Hub, tmp_path: Path) -> None:
    folder = make_version(tmp_path, 1, TEXTS)
    Journal(tmp_path / "journals" / "fruit.sqlite").close()

    push(hub, tmp_path, with_journal=True)

    assert arrived(hub).keys() - read_all(folder).keys() == {"journal.jsonl.gz"}


def test_stray_file_in_the_folder_is_named_and_not_sent(hub: Hub, tmp_path: Path) -> None:
    folder = make_version(tmp_path, 1, TEXTS)
    (folder / "비밀.txt").write_text("secret", encoding="utf-8")

    outcome = push(hub, tmp_path)

    assert "비밀.txt" in {left.path for left in outcome.left_out}
    assert "비밀.txt" not in arrived(hub)


@pytest.mark.parametrize("yes", [True, False])
def test_damaged_version_is_refused_and_the_file_named(hub: Hub, tmp_path: Path, yes: bool) -> None:
    folder = make_version(tmp_path, 1, TEXTS)
    file = folder / "data" / "train.parquet"
    file.write_bytes(file.read_bytes()[:-1])

    with pytest.raises(DamagedFileError, match=r"data/train\.parquet"):
        push(hub, tmp_path, yes=yes)
    assert not hub.requests


def test_half_copied_version_is_refused_and_the_missing_file_named(
    hub: Hub, tmp_path: Path
) -> None:
    folder = make_version(tmp_path, 1, TEXTS)
    (folder / "report.html").unlink()

    with pytest.raises(DamagedFileError, match=r"report\.html.*missing"):
        push(hub, tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "../../secret.txt",
        "/etc/hostname",
        ".git/config",
        "data/../../x",
        "..\\x",
        "./review.jsonl",
        "data//x",
        "",
    ],
)
def test_manifest_that_points_out_of_its_folder_is_refused(
    hub: Hub, tmp_path: Path, path: str
) -> None:
    folder = make_version(tmp_path, 1, TEXTS)
    manifest = (folder / "manifest.json").read_text(encoding="utf-8")
    changed = manifest.replace('"report.html"', f'"{path}"'.replace("\\", "\\\\"))
    (folder / "manifest.json").write_text(changed, encoding="utf-8")

    with pytest.raises(DamagedFileError, match="leads out"):
        push(hub, tmp_path)


@pytest.mark.parametrize("path", ["journal.jsonl.gz", "manifest.json"])
def test_manifest_that_lists_what_is_no_file_of_a_version_is_refused(
    hub: Hub, tmp_path: Path, path: str
) -> None:
    folder = make_version(tmp_path, 1, TEXTS)
    (folder / "journal.jsonl.gz").write_bytes((folder / "report.html").read_bytes())
    manifest = (folder / "manifest.json").read_text(encoding="utf-8")
    changed = manifest.replace('"report.html"', f'"{path}"')
    (folder / "manifest.json").write_text(changed, encoding="utf-8")

    with pytest.raises(DamagedFileError, match="a name that no version lists"):
        push(hub, tmp_path)
    assert REPOSITORY not in hub.repositories


def test_password_in_an_endpoint_is_not_repeated(hub: Hub, tmp_path: Path) -> None:
    make_version(tmp_path, 1, TEXTS)

    with pytest.raises(HubRequestError, match=r"'hub\.example\.org/x'") as caught:
        push(hub, tmp_path, endpoint="https://me:s3cret@hub.example.org/x")
    assert "s3cret" not in str(caught.value)


def test_symbolic_link_out_of_the_version_is_not_followed(hub: Hub, tmp_path: Path) -> None:
    folder = make_version(tmp_path, 1, TEXTS)
    (tmp_path / "same").write_bytes((folder / "report.html").read_bytes())
    (folder / "report.html").unlink()
    (folder / "report.html").symlink_to(tmp_path / "same")

    with pytest.raises(DamagedFileError, match="leads out"):
        push(hub, tmp_path)


def test_folder_that_is_no_version_is_refused(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ManifestError):
        push(hub, tmp_path, dataset=str(tmp_path))


def test_public_repository_takes_a_version_only_with_public(hub: Hub, tmp_path: Path) -> None:
    make_version(tmp_path, 1, TEXTS)
    hub.repositories[REPOSITORY] = Repository(private=False)

    with pytest.raises(RepositoryConflictError, match="--public"):
        push(hub, tmp_path)
    assert arrived(hub) == {}

    assert not push(hub, tmp_path, public=True).plan.is_private


@pytest.mark.parametrize("yes", [False, True])
def test_somebody_elses_files_are_neither_replaced_nor_removed(
    hub: Hub, tmp_path: Path, yes: bool
) -> None:
    make_version(tmp_path, 1, TEXTS)
    theirs = {"data/train.parquet": b"years of work", "journal.jsonl.gz": b"a diary"}
    repository = hub.repositories[REPOSITORY] = Repository(private=True)
    repository.add(theirs, "mine")

    with pytest.raises(RepositoryConflictError, match=r"replace: data/train\.parquet\. Name"):
        push(hub, tmp_path, yes=yes)
    assert repository.files == theirs

    repository.files.pop("data/train.parquet")
    repository.files["README.md"] = b"# fruit"
    outcome = push(hub, tmp_path, yes=yes)
    assert [file.path for file in outcome.plan.changed] == ["README.md"]
    assert outcome.plan.removed == ()
    assert repository.files["journal.jsonl.gz"] == b"a diary"


def test_public_makes_a_public_repository(hub: Hub, tmp_path: Path) -> None:
    make_version(tmp_path, 1, TEXTS)

    push(hub, tmp_path, public=True)

    assert not hub.repositories[REPOSITORY].private


def test_tag_that_holds_other_files_is_never_moved(hub: Hub, tmp_path: Path) -> None:
    make_version(tmp_path, 1, TEXTS, review=True)
    before = push(hub, tmp_path).commit

    with pytest.raises(RepositoryConflictError, match=r"(report\.html|review\.jsonl)"):
        push(hub, tmp_path, with_review=True)
    assert hub.repositories[REPOSITORY].head == before


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("GET", "/refs", 500), id="look"),
        pytest.param(Fault("POST", "/api/repos/create", 503), id="make"),
        pytest.param(Fault("POST", "/api/repos/create", "lose"), id="made-but-answer-lost"),
        pytest.param(Fault("POST", "/commit/", 500), id="commit"),
        pytest.param(Fault("POST", "/commit/", "lose"), id="committed-but-answer-lost"),
        pytest.param(Fault("POST", "/commit/", "cut"), id="commit-cut"),
        pytest.param(Fault("POST", "/validate-yaml", 502), id="card"),
        pytest.param(Fault("POST", "/tag/", "lose"), id="tagged-but-answer-lost"),
        pytest.param(Fault("PUT", "/lfs/", 500), id="upload"),
        pytest.param(Fault("PUT", "/lfs/", "cut"), id="upload-cut"),
    ],
)
def test_fault_that_passes_leaves_one_whole_commit(hub: Hub, tmp_path: Path, fault: Fault) -> None:
    folder = make_version(tmp_path, 1, TEXTS)
    hub.faults.append(fault)

    push(hub, tmp_path)

    repository = hub.repositories[REPOSITORY]
    assert not hub.faults
    assert arrived(hub) == read_all(folder)
    assert len(repository.commits) == 2
    assert repository.tags == {folder.name: repository.head}


def test_fault_that_stays_is_one_line_and_leaves_nothing_half(hub: Hub, tmp_path: Path) -> None:
    make_version(tmp_path, 1, TEXTS)
    hub.faults += [Fault("POST", "/commit/", 500)] * 4

    with pytest.raises(HubBusyError, match="answered 500") as caught:
        push(hub, tmp_path)

    assert "\n" not in str(caught.value)
    assert arrived(hub) == {}


def test_interrupted_upload_continues_where_it_was(hub: Hub, tmp_path: Path) -> None:
    folder = make_version(tmp_path, 1, TEXTS)
    validation = sha256((folder / "data" / "validation.parquet").read_bytes()).hexdigest()
    hub.faults.append(Fault("PUT", validation, 403))
    with pytest.raises(HubRefusalError):
        push(hub, tmp_path)
    assert len(hub.objects) == 1
    hub.requests.clear()

    push(hub, tmp_path)

    assert hub.count("PUT ") == 1
    assert arrived(hub) == read_all(folder)


@pytest.mark.parametrize(
    ("status", "says"), [(401, "is not accepted"), (403, "needs write access")]
)
def test_refusal_says_what_the_token_lacks(
    hub: Hub, tmp_path: Path, status: int, says: str
) -> None:
    make_version(tmp_path, 1, TEXTS)
    hub.faults.append(Fault("POST", "/api/repos/create", status))

    with pytest.raises(HubRefusalError, match=says):
        push(hub, tmp_path)


def test_owner_of_somebody_else_is_refused(hub: Hub, tmp_path: Path) -> None:
    make_version(tmp_path, 1, TEXTS)

    with pytest.raises(HubRefusalError, match="rights under them"):
        push(hub, tmp_path, to="them/fruit")


def test_token_is_in_no_error_and_no_log_even_when_the_hub_sends_it_back(
    hub: Hub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_version(tmp_path, 1, TEXTS)
    hub.accepts = "hf_another"

    with caplog.at_level(logging.DEBUG), pytest.raises(HubRefusalError) as caught:
        push(hub, tmp_path)

    assert "[token]" in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert TOKEN not in caplog.text


def test_file_that_the_hub_ignores_is_missed_before_the_version_is_tagged(
    hub: Hub, tmp_path: Path
) -> None:
    make_version(tmp_path, 1, TEXTS)
    hub.ignored.add("report.html")

    with pytest.raises(HubError, match=r"report\.html.*\.gitignore"):
        push(hub, tmp_path)
    assert hub.repositories[REPOSITORY].tags == {}


@pytest.mark.parametrize("name", ["fruit", "a/b/c", "me/fru it", "me/..", "me/x--y", "", "me/과일"])
def test_name_that_cannot_be_is_refused_before_anything_is_asked(
    hub: Hub, tmp_path: Path, name: str
) -> None:
    make_version(tmp_path, 1, TEXTS)

    with pytest.raises(HubRequestError):
        push(hub, tmp_path, to=name)
    assert not hub.requests


@pytest.mark.parametrize(
    "endpoint", ["huggingface.co", "ftp://x", "http://hub.example.org", "https://"]
)
def test_endpoint_that_would_read_the_token_out_loud_is_refused(
    hub: Hub, tmp_path: Path, endpoint: str
) -> None:
    make_version(tmp_path, 1, TEXTS)

    with pytest.raises(HubRequestError, match="Endpoint"):
        push(hub, tmp_path, endpoint=endpoint)


def test_hub_that_is_not_there_is_one_line(hub: Hub, tmp_path: Path) -> None:
    make_version(tmp_path, 1, TEXTS)

    with pytest.raises(PacaloomError, match="no connection") as caught:
        push(hub, tmp_path, endpoint="http://127.0.0.1:9")

    assert caught.value.exit_status == 1
    assert "\n" not in str(caught.value)
