"""The two tasks of a run, from published shards to scores."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from corpus.schema import UserError
from tests.tuning.conftest import chats, labelled, write
from tuning.ask import ask
from tuning.rows import Shards
from tuning.run import evaluate, tune
from tuning.settings import Evaluation, Tuning

GOOD, BAD = ("the lovely fine table", "positive"), ("a sad bad awful wall", "negative")
LABELS = ("negative", "positive")


def _pairs(rows: int, first: int = 0) -> list[tuple[str, str | None]]:
    return [
        (f"{text} {row}", label) for row in range(first, first + rows // 2) for text, label in (GOOD, BAD)
    ]


def _settings(model_folder: Path, **knobs: Any) -> Tuning:
    return Tuning(
        **{
            "model": f"file:{model_folder}",
            "epochs": 5,
            "learning_rate": 3e-2,
            "evaluations_per_epoch": 1,
            **knobs,
        }
    )


def _lengths(texts: Any) -> np.ndarray:
    return np.array([[len(text), text.count("a")] for text in texts], dtype=float)


def _run(shards: Shards, tuning: Tuning, out: Path, labels: tuple[str, ...] = LABELS) -> dict[str, Any]:
    cache = out.parent / "cache"
    tune(shards, tuning, labels, out, version="0123", seed=7, base=out.parent, cache=cache)
    return evaluate(
        shards,
        Evaluation(),
        out,
        base=out.parent,
        cache=cache,
        sources={"shop": "CC-BY-4.0", "web": None},
        encode=_lengths,
    )


@pytest.fixture(scope="module")
def classified(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A run on rows of two classes; a test row is of a class never trained on, and one of none."""
    folder = tmp_path_factory.mktemp("classified")
    test = labelled([*_pairs(39, 40), ("the wall", "mixed"), ("sad", None)], "test", 1_000)
    shards = write(
        folder, train=labelled(_pairs(40)), validation=labelled(_pairs(8, 30), "validation", 500), test=test
    )
    return folder / "run", _run(shards, _settings(model_folder), folder / "run")


def test_tuning_beats_the_base_model_on_what_it_was_taught(classified: tuple[Path, dict[str, Any]]) -> None:
    _, told = classified

    verdicts = {
        (found["metric"], found["against"]): found["verdict"]
        for found in told["comparisons"]
        if found["of"] == "tuned"
    }

    assert told["rows"] == 39
    assert list(told["classifiers"]) == ["majority", "probe", "base", "tuned"]
    assert told["classifiers"]["tuned"]["accuracy"]["value"] == pytest.approx(38 / 39)
    assert verdicts["accuracy", "majority"] == "better"
    assert set(verdicts) == {
        (metric, name) for metric in ("accuracy", "f1_macro") for name in ("majority", "probe", "base")
    }


def test_a_class_that_was_never_trained_on_is_judged_and_missed(
    classified: tuple[Path, dict[str, Any]],
) -> None:
    _, told = classified

    found = told["classifiers"]["tuned"]["per_class"]["mixed"]["recall"]

    assert (found["value"], found["n"]) == (0.0, 1)
    assert told["notes"] == ["Classes of test rows that no training row has: mixed."]


def test_the_scores_stand_in_the_run_folder_as_they_were_returned(
    classified: tuple[Path, dict[str, Any]],
) -> None:
    out, told = classified

    assert json.loads((out / "scores.json").read_text()) == told
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "adapter",
        "predictions.parquet",
        "scores.json",
        "training.json",
    ]


def test_each_classifier_answers_with_its_most_likely_class(classified: tuple[Path, dict[str, Any]]) -> None:
    out, told = classified
    predictions = pq.read_table(out / "predictions.parquet")

    labels = json.loads(predictions.schema.metadata[b"labels"])
    truth = predictions["label"].to_numpy()

    assert labels == list(LABELS)
    assert predictions["id"].to_pylist() == [f"{1_000 + row:08d}" for row in range(39)]
    for name, scores in told["classifiers"].items():
        said = np.array(predictions[f"{name}_log_probabilities"].to_pylist())
        answers = predictions[name].to_numpy()
        assert [labels[at] for at in said.argmax(axis=1)] == answers.tolist()
        assert (answers == truth).mean() == pytest.approx(scores["accuracy"]["value"])


def test_a_text_that_is_asked_gets_the_numbers_that_its_row_got(
    classified: tuple[Path, dict[str, Any]],
) -> None:
    """Whatever stands beside it: so what was evaluated need not be asked again."""
    out, _ = classified
    predictions = pq.read_table(out / "predictions.parquet")
    texts = [text for text, _ in _pairs(39, 40)]

    some = ask(out, [texts[5], "a sad table", texts[30]], base=out.parent, cache=out.parent / "cache")

    assert list(some) == ["base", "tuned"]
    for name, said in some.items():
        known = np.array(predictions[f"{name}_log_probabilities"].to_pylist())
        assert (said[[0, 2]] == known[[5, 30]]).all()
        assert said[1].tolist() not in known.tolist()


def test_the_card_tells_origin_scores_and_limits(classified: tuple[Path, dict[str, Any]]) -> None:
    out, told = classified
    card = (out / "README.md").read_text()

    front = yaml.safe_load(card.split("---")[1])

    tuned = told["classifiers"]["tuned"]["accuracy"]
    assert front["library_name"] == "peft"
    assert front["base_model"].startswith("file:")
    assert "Trained on the dataset version `0123`" in card
    assert "- source shop: CC-BY-4.0\n- source web: licence not stated in the recipe\n" in card
    assert f"| tuned | {tuned['value']:.3f} ({tuned['low']:.3f} to {tuned['high']:.3f}) |" in card


def test_the_adapters_name_their_base_model_by_its_uri(
    classified: tuple[Path, dict[str, Any]], model_folder: Path
) -> None:
    out, _ = classified

    config = json.loads((out / "adapter" / "adapter_config.json").read_text())

    assert config["base_model_name_or_path"] == f"file:{model_folder}"


def test_the_order_of_the_published_rows_changes_nothing(
    classified: tuple[Path, dict[str, Any]], model_folder: Path, tmp_path: Path
) -> None:
    out, _ = classified
    rows = {
        "train": labelled(_pairs(40)),
        "validation": labelled(_pairs(8, 30), "validation", 500),
        "test": labelled([*_pairs(39, 40), ("the wall", "mixed"), ("sad", None)], "test", 1_000),
    }
    back = {split: table.take(pa.array(range(table.num_rows - 1, -1, -1))) for split, table in rows.items()}

    _run(write(tmp_path, **back), _settings(model_folder), tmp_path / "run")

    first, second = (pq.read_table(run / "predictions.parquet") for run in (out, tmp_path / "run"))
    assert first.equals(second)


def test_a_chat_corpus_is_judged_by_its_loss_and_says_so(model_folder: Path, tmp_path: Path) -> None:
    turns = [[("user", f"the table {row}"), ("assistant", "very very good")] for row in range(40)]
    silent = chats([[("user", "the wall")]], "test", 2_000)
    test = pa.concat_tables([chats(turns[30:], "test", 1_000), silent])
    shards = write(
        tmp_path, train=chats(turns[:30]), validation=chats(turns[:4], "validation", 500), test=test
    )

    told = _run(shards, _settings(model_folder), tmp_path / "run", labels=())

    (comparison,) = told["comparisons"]
    assert list(told["classifiers"]) == ["base", "tuned"]
    assert told["classifiers"]["tuned"]["loss"]["value"] < told["classifiers"]["base"]["loss"]["value"]
    assert (comparison["metric"], comparison["verdict"]) == ("loss", "better")
    assert told["skipped"] == [
        {"split": "test", "id": "00002000", "reason": "it has no label and no turn of role assistant"}
    ]
    assert "not applicable" in told["notes"][0]
    assert "| tuned |" in (tmp_path / "run" / "README.md").read_text()


def test_rows_that_would_train_on_nothing_stop_or_are_skipped_and_listed(
    model_folder: Path, tmp_path: Path
) -> None:
    train = labelled([*_pairs(10), ("the wall", None)])
    shards = write(tmp_path, train=train, test=labelled(_pairs(6, 40), "test", 1_000))

    with pytest.raises(UserError, match="1 of 11 rows have none \\(00000010: it has no label"):
        _run(shards, _settings(model_folder), tmp_path / "stopped")
    told = _run(shards, _settings(model_folder, epochs=1, unsupervised="skip"), tmp_path / "run")

    assert told["skipped"] == [
        {"split": "train", "id": "00000010", "reason": "it has no label and no turn of role assistant"}
    ]


def test_nothing_to_train_on_and_nothing_to_judge_are_said(model_folder: Path, tmp_path: Path) -> None:
    settings = _settings(model_folder, epochs=1)

    with pytest.raises(UserError, match="tuning needs training rows"):
        _run(write(tmp_path, train=labelled([])), settings, tmp_path / "none")
    with pytest.raises(UserError, match="evaluation needs test rows with a label"):
        _run(write(tmp_path, train=labelled(_pairs(8))), settings, tmp_path / "run")
