"""Training keeps the adapters of the lowest validation loss."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tuning.conftest import labelled
from tuning.evaluate import losses
from tuning.lora import Trained, train
from tuning.settings import Tuning
from tuning.template import Template

SETTINGS = Tuning(
    model="file:tiny", epochs=6, learning_rate=3e-2, batch_rows=4, evaluations_per_epoch=1, patience=20
)
GOOD, BAD = ("the lovely fine table", "positive"), ("a sad bad awful wall", "negative")


def _flipped(pair: tuple[str, str]) -> tuple[str, str]:
    return pair[0], "negative" if pair[1] == "positive" else "positive"


def _train(
    model: Any, tokenizer: Any, out: Path, *, misleading: bool = False, settings: Tuning = SETTINGS
) -> tuple[Trained, float]:
    """Train on rows that teach their validation rows, or their contrary; return what it did and the last model's loss."""
    template = Template(tokenizer, 64)
    pairs = [(f"{text} {row}", label) for row in range(16) for text, label in (GOOD, BAD)]
    training = template.encode(labelled(pairs))
    validation = template.encode(labelled([_flipped(pair) if misleading else pair for pair in pairs[:8]]))
    trained = train(model, training, validation, settings, 7, out)
    return trained, float(losses(model, validation).sum() / validation.supervised.sum())


def _adapted(model_folder: Path, adapter: Path) -> Any:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    return PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32), adapter
    )


def test_training_lowers_the_loss(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    trained, _ = _train(model, tokenizer, tmp_path / "adapter")

    assert trained.looks[-1].loss < trained.looks[0].loss - 0.3
    assert trained.steps == 6 * 8
    assert trained.tokens > 6 * 32
    assert trained.tokens_per_second > 0


def test_the_best_adapter_is_kept_and_not_the_last(
    model: Any, model_folder: Path, tokenizer: Any, tmp_path: Path
) -> None:
    trained, restored = _train(model, tokenizer, tmp_path / "adapter", misleading=True)

    template = Template(tokenizer, 64)
    pairs = [_flipped((f"{text} {row}", label)) for row in range(4) for text, label in (GOOD, BAD)]
    validation = template.encode(labelled(pairs))
    saved = (
        losses(_adapted(model_folder, tmp_path / "adapter"), validation).sum() / validation.supervised.sum()
    )
    best = min(trained.looks, key=lambda look: look.loss)
    assert best.loss < trained.looks[-1].loss - 0.05
    assert trained.best_step == best.step < trained.steps
    assert restored == pytest.approx(best.loss, rel=1e-5)
    assert saved == pytest.approx(best.loss, rel=1e-5)


def test_training_stops_once_the_validation_loss_no_longer_falls(
    model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    patient = SETTINGS.model_copy(update={"patience": 2, "epochs": 30})

    trained, _ = _train(model, tokenizer, tmp_path / "adapter", misleading=True, settings=patient)

    assert trained.steps == trained.best_step + 2 * 8
    assert trained.steps < 30 * 8


def test_the_same_seed_trains_the_same_adapters(model_folder: Path, tokenizer: Any, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    settings = SETTINGS.model_copy(update={"epochs": 1, "dropout": 0.1})
    for name in ("one", "two"):
        fresh = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
        _train(fresh, tokenizer, tmp_path / name, settings=settings)

    one, two = ((tmp_path / name / "adapter_model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_the_run_folder_holds_the_adapters_and_no_checkpoints(
    model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    _train(model, tokenizer, tmp_path / "adapter")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter"]
    assert sorted(path.name for path in (tmp_path / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_progress_is_told_step_by_step(model: Any, tokenizer: Any, tmp_path: Path, capsys: Any) -> None:
    template = Template(tokenizer, 64)
    examples = template.encode(labelled([GOOD, BAD] * 4))
    none = template.encode(labelled([]))
    told: list[tuple[int, int]] = []

    trained = train(
        model, examples, none, SETTINGS, 7, tmp_path / "adapter", lambda *steps: told.append(steps)
    )

    assert told == [(step, 12) for step in range(1, 13)]
    assert trained.looks == ()
    assert trained.best_step == 12
    assert np.isfinite(trained.loss).all()
    assert capsys.readouterr().out == ""
