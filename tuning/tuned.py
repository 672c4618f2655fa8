"""The base model and the tuned one, one after the other in the same memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus.language_model import LanguageModel


def base_and_tuned(base: LanguageModel, adapter: Path) -> Iterator[tuple[str, Any]]:
    """Yield ("base", model), then ("tuned", model) with the adapters of a folder merged into the same weights.

    Use each before the next is asked for. Merging spares the adapters' share of the work.
    """
    from peft import PeftModel

    model = base.model()
    yield "base", model
    yield "tuned", PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
