"""LoRA: trains adapters on the completions, stops when the validation loss no longer falls, keeps the best."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuning.evaluate import FILLER, losses, token_losses
from tuning.examples import Examples, LengthBatches, collate
from tuning.settings import Tuning

Progress = Callable[[int, int], None]
"""Is told (steps done, steps in all)."""


@dataclass(frozen=True)
class Look:
    """The validation loss after some steps: nats a token of the completions."""

    step: int
    loss: float


@dataclass(frozen=True)
class Trained:
    """What training did. `best_step` is the step whose adapter was kept; `loss` is that of training by step, in nats."""

    steps: int
    best_step: int
    looks: tuple[Look, ...]
    loss: tuple[float, ...]
    seconds: float
    tokens: int
    tokens_per_second: float
    trainable_parameters: int


def train(
    model: Any,
    training: Examples,
    validation: Examples,
    settings: Tuning,
    seed: int,
    out: Path,
    progress: Progress | None = None,
) -> Trained:
    """Train adapters on `training` and write those of the lowest validation loss to the folder `out`.

    The rows of both all bear a loss; without validation rows the last adapters are kept. `model` is wrapped in
    place. The same seed, rows and machine give the same adapters.
    """
    from peft import LoraConfig, get_peft_model
    from transformers import EarlyStoppingCallback, set_seed

    set_seed(seed)
    adapted = get_peft_model(
        model,
        LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".checkpoints-") as checkpoints:
        trainer = _trainer(adapted, training, validation, settings, seed, Path(checkpoints))
        if len(validation):
            trainer.add_callback(EarlyStoppingCallback(settings.patience))
        if progress is not None:
            trainer.add_callback(_reporting(progress))
        trainer.train()
    seconds = time.monotonic() - began
    # Whoever loads the adapters looks for the model by its URI, not by where this machine keeps it.
    adapted.peft_config["default"].base_model_name_or_path = settings.model
    adapted.save_pretrained(str(out), save_embedding_layers=False)
    (out / "README.md").unlink()  # peft's empty form; the run's folder holds the model card
    history, state = trainer.state.log_history, trainer.state
    tokens = trainer.tokens
    return Trained(
        steps=state.global_step,
        best_step=state.best_global_step or state.global_step,
        looks=tuple(Look(entry["step"], entry["eval_loss"]) for entry in history if "eval_loss" in entry),
        loss=tuple(entry["loss"] for entry in history if "loss" in entry),
        seconds=seconds,
        tokens=tokens,
        tokens_per_second=tokens / seconds,
        trainable_parameters=adapted.get_nb_trainable_parameters()[0],
    )


def _trainer(
    model: Any, training: Examples, validation: Examples, settings: Tuning, seed: int, checkpoints: Path
) -> Any:
    import torch
    from torch.utils.data import DataLoader
    from transformers import PrinterCallback, Trainer, TrainingArguments

    class CompletionTrainer(Trainer):  # made here, so that transformers is imported late
        """transformers' Trainer with batches of equal lengths, and logits only where a loss is borne."""

        tokens = 0
        loss_is_scaled_for_ga = False

        def get_train_dataloader(self) -> Any:
            batches = LengthBatches(training.lengths, settings.batch_rows, seed)
            loader: DataLoader[Any] = DataLoader(
                range(len(training)),  # type: ignore[arg-type]  # a sequence is a map-style dataset
                batch_sampler=batches,
                collate_fn=lambda positions: collate(training, positions, FILLER),
            )
            return self.accelerator.prepare(loader)

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            assert not return_outputs, "evaluate() asks for no outputs"
            self.tokens += inputs["input_ids"].numel()
            return token_losses(model, inputs)[0].mean()

        def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
            loss = float(losses(self.model, validation).sum() / validation.supervised.sum())
            metrics = {"eval_loss": loss}
            self.log(metrics)
            self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
            return metrics

    every = max(
        len(LengthBatches(training.lengths, settings.batch_rows, seed)) // settings.evaluations_per_epoch, 1
    )
    looks = "steps" if len(validation) else "no"
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_rows,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        eval_strategy=looks,
        save_strategy=looks,
        eval_steps=every,
        save_steps=every,
        save_only_model=True,
        save_total_limit=1,
        load_best_model_at_end=bool(len(validation)),
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        logging_steps=max(every // 4, 1),
        seed=seed,
        data_seed=seed,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        label_names=["labels"],
    )
    trainer = CompletionTrainer(model=model, args=arguments, eval_dataset=np.arange(len(validation)))
    trainer.remove_callback(PrinterCallback)  # it prints to standard output, which belongs to --json
    return trainer


def _reporting(progress: Progress) -> Any:
    from transformers import TrainerCallback

    class Reporting(TrainerCallback):  # made here, so that transformers is imported late
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            del args, control
            progress(state.global_step, state.max_steps)

    return Reporting()
