"""Task files of lm-evaluation-harness become tasks, as far as they are data and not code."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.errors import UserError
from training.evaluation.tasks.items import EvaluationTask, TaskError
from training.evaluation.tasks.loading import load_task

ROWS: list[dict[str, Any]] = [
    {"q": "Is water wet?", "opts": ["no", "yes", "perhaps"], "gold": 1},
    {"q": "물은 젖어 있나요?", "opts": ["아니요", "예", "글쎄요"], "gold": 0},
]
CHOICE = {
    "task": "wetness",
    "dataset_path": "json",
    "dataset_kwargs": {"data_files": {"test": "test.jsonl", "train": "train.jsonl"}},
    "test_split": "test",
    "training_split": "train",
    "output_type": "multiple_choice",
    "doc_to_text": "Question: {{q}}\nAnswer:",
    "doc_to_choice": "{{opts}}",
    "doc_to_target": "gold",
}


def save(folder: Path, config: dict[str, Any], name: str = "wetness.yaml") -> Path:
    rows = [json.dumps(row, ensure_ascii=False) for row in ROWS]
    (folder / "test.jsonl").write_text("\n".join(rows))
    (folder / "train.jsonl").write_text(
        "\n".join(json.dumps({**row, "q": f"{row['q']} {n}"}) for n in range(3) for row in ROWS)
    )
    path = folder / name
    path.write_text(yaml.safe_dump(config, allow_unicode=True))
    return path


def load(folder: Path, **changes: Any) -> EvaluationTask:
    config = {key: value for key, value in {**CHOICE, **changes}.items() if value is not None}
    return load_task(str(save(folder, config)))


def test_choices_are_rendered_per_row_and_scored_as_the_row_s_own(tmp_path: Path) -> None:
    task = load(tmp_path)

    assert task.is_choice
    assert task.name == "wetness"
    assert [item.text for item in task.items] == [
        "Question: Is water wet?\nAnswer:",
        "Question: 물은 젖어 있나요?\nAnswer:",
    ]
    assert [item.choices for item in task.items] == [tuple(row["opts"]) for row in ROWS]
    assert [item.label for item in task.items] == ["yes", "아니요"]
    assert len(task.shots) == 6
    assert task.card.wordings[0].instruction == ""


@pytest.mark.parametrize(
    ("choices", "target", "label"),
    [
        pytest.param(["x", "y"], "{{gold}}", "y", id="number-in-jinja"),
        pytest.param(["x", "y"], "{{ ['x', 'y'][gold] }}", "y", id="text"),
        pytest.param({"a": "x", "b": "y"}, "gold", "y", id="map"),
        pytest.param("{{['x', 'y']}}", 1, "y", id="constant"),
        pytest.param("{{ ['x', 'y'] | list }}", "{{ 'x' if gold else 'y' }}", "x", id="condition"),
    ],
)
def test_choices_that_all_rows_share_are_labels(
    tmp_path: Path, choices: object, target: object, label: str
) -> None:
    task = load(tmp_path, doc_to_choice=choices, doc_to_target=target)

    assert task.card.labels == ("x", "y")
    assert task.items[0].label == label
    assert all(item.choices == () for item in (*task.items, *task.shots))


def test_a_plain_description_is_the_instruction_and_a_templated_one_part_of_the_text(
    tmp_path: Path,
) -> None:
    plain = load(tmp_path, description="Answer about water.\n\n")
    templated = load(tmp_path, description="About {{opts[0]}}.\n")

    assert plain.card.wordings[0].instruction == "Answer about water."
    assert plain.items[0].text == "Question: Is water wet?\nAnswer:"
    assert templated.card.wordings[0].instruction == ""
    assert templated.items[0].text == "About no.\nQuestion: Is water wet?\nAnswer:"


def test_written_answers_have_references_from_text_list_and_column(tmp_path: Path) -> None:
    changes = {"output_type": "generate_until", "doc_to_choice": None}
    text = load(tmp_path, **changes, doc_to_target=" {{opts[gold]}}")
    listed = load(tmp_path, **changes, doc_to_target="{{opts[1:]}}")
    column = load(tmp_path, **changes, doc_to_target="opts")
    rouge = load(
        tmp_path,
        **changes,
        doc_to_target="q",
        metric_list=[{"metric": "rougeL", "aggregation": "mean"}],
        generation_kwargs={"max_gen_toks": 32, "until": ["\n"]},
    )

    assert text.card.metric == "exact_match"
    assert [item.references for item in text.items] == [("yes",), ("아니요",)]
    assert listed.items[1].references == ("예", "글쎄요")
    assert column.items[0].references == ("no", "yes", "perhaps")
    assert (rouge.card.metric, rouge.card.answer_tokens) == ("rouge_l", 32)


def test_what_is_included_comes_first_and_the_file_s_own_fields_win(tmp_path: Path) -> None:
    save(tmp_path, CHOICE, "_base.yaml")
    path = save(tmp_path, {"include": "_base.yaml", "task": "mine", "doc_to_text": "{{q}} ->"})

    task = load_task(str(path))

    assert task.items[0].text == "Is water wet? ->"
    assert task.items[0].label == "yes"


def test_a_folder_gives_the_files_named_after_their_split(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    inside = tmp_path / "water" / "data"
    inside.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(ROWS), inside / "validation-00000-of-00001.parquet")

    task = load(
        tmp_path,
        dataset_path="water",
        dataset_kwargs=None,
        test_split=None,
        training_split=None,
        validation_split="validation",
    )

    assert [item.label for item in task.items] == ["yes", "아니요"]
    assert task.shots == ()


def test_examples_written_into_the_file_are_the_shots(tmp_path: Path) -> None:
    task = load(tmp_path, fewshot_config={"sampler": "first_n", "samples": [ROWS[0]]})

    assert [shot.label for shot in task.shots] == ["yes"]


@pytest.mark.parametrize("field", ["doc_to_text", "process_docs"])
def test_code_is_refused_in_one_line(tmp_path: Path, field: str) -> None:
    path = save(tmp_path, CHOICE)
    path.write_text(f"{path.read_text()}\n{field}: !function utils.do_it\n")

    with pytest.raises(TaskError, match=r"!function 'utils\.do_it' in line \d+ names Python") as e:
        load_task(str(path))

    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ q.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('touch hacked').read() }}",
        "{{ self.__init__ }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}{{ os }}",
        "{{ 'a' * 10 ** 10 }}",
        "{{ 'a' * 9999999999 }}",
        "{{ 'a'.ljust(10 ** 10) }}",
        "{{ 'a' | center(999999999) }}",
        "{{ '%9999999999d' % 1 }}",
        "{{ opts.append('x') }}",
        "{{ range(10 ** 9) | list }}",
        "{{ missing }}",
        "{{ q",
        "{{ 1 / 0 }}",
        "{{ '{0.__class__}'.format(q) }}",
    ],
)
def test_hostile_and_broken_templates_are_errors_and_nothing_runs(
    tmp_path: Path, template: str
) -> None:
    with pytest.raises(TaskError, match="doc_to_text") as caught:
        load(tmp_path, doc_to_text=template)

    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_row_that_looks_like_a_template_stays_text(tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").write_text(
        json.dumps({"q": "{{ 7 * 7 }} {% raw %}", "opts": ["a", "b"], "gold": 0})
    )

    task = load(tmp_path, dataset_kwargs={"data_files": {"test": "odd.jsonl"}}, training_split=None)

    assert task.items[0].text == "Question: {{ 7 * 7 }} {% raw %}\nAnswer:"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"dataset_path": "org/water"}, "nothing is fetched", id="hub"),
        pytest.param({"output_type": "loglikelihood_rolling"}, "wanted output_type", id="type"),
        pytest.param({"test_split": None}, "wanted test_split or validation_split", id="no-split"),
        pytest.param({"test_split": "exam"}, "no file for split 'exam'", id="other-split"),
        pytest.param({"doc_to_choice": None}, "wants doc_to_choice", id="no-choices"),
        pytest.param({"doc_to_choice": "q"}, "doc_to_choice: wanted a list", id="no-list"),
        pytest.param({"doc_to_target": "7"}, "gives '7', wanted one of the choices", id="target"),
        pytest.param({"doc_to_text": "gold"}, "stands before the choices", id="number-as-text"),
        pytest.param({"doc_to_text": None}, "doc_to_text: Field required", id="no-text"),
        pytest.param({"task": ["a", "b"]}, "is a group of tasks", id="group"),
        pytest.param({"include": "wetness.yaml"}, "includes itself", id="circle"),
        pytest.param({"include": "gone.yaml"}, "gone.yaml: no such file", id="gone"),
        pytest.param(
            {"output_type": "generate_until", "metric_list": [{"metric": "bleu"}]},
            "found bleu",
            id="metric",
        ),
    ],
)
def test_what_cannot_be_read_is_one_line(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        load(tmp_path, **changes)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
