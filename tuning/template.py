r"""How a row becomes a prompt and a completion: the class behind the text, or the last turn of a chat.

A labelled row       prompt 'Thanks for the quick reply\nLabel:'        completion ' positive' and the end
A chat               prompt all turns before the last of role assistant  completion that turn and the end
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from corpus.turns import plain, rendered
from tuning.examples import Examples

CUE = "\nLabel:"
"""What stands between a text and its class: as few tokens as tell the one from the other, for each is paid for
in every row. Naming the classes before the text costs a fifth more time."""

_PART = 10_000


@dataclass(frozen=True)
class Template:
    """Renders rows to tokens with `tokenizer` (a fast tokenizer of transformers), `max_tokens` a row at most.

    What users wrote is tokenised with special tokens split, so a text that spells a special token or a turn
    of the chat template stays a text.
    """

    tokenizer: Any
    max_tokens: int

    def encode(self, rows: pa.Table) -> Examples:
        """Return `rows` (columns `id`, `messages`, `label`) as examples, in their order.

        A row with a label trains on its class; a row without one on its last turn of role assistant. A text
        too long for its class to follow is cut at its end; an answer too long loses its end. The reason of a
        row that bears no loss says what it lacks. Raises UserError for a chat whose tokenizer has no usable
        chat template.
        """
        pieces = [self._encode(part) for part in rows.to_batches(max_chunksize=_PART)]
        parts = [piece for part in pieces for piece in part]
        flat = [np.asarray(tokens, dtype=np.int32) for tokens, _, _, _ in parts]
        return Examples(
            ids=rows["id"].to_pylist(),
            tokens=np.concatenate([*flat, np.zeros(0, np.int32)]),
            begins=np.cumsum([0, *map(len, flat)], dtype=np.int64),
            completions=np.array([at for _, at, _, _ in parts], dtype=np.int64),
            truncated=np.array([cut for _, _, cut, _ in parts], dtype=bool),
            reasons=[reason for _, _, _, reason in parts],
        )

    def completion(self, label: str) -> list[int]:
        """Return the tokens of a class, without the end of the sequence."""
        return self._text([f" {label}"])[0]

    def ask(self, texts: Sequence[str], room: int) -> list[np.ndarray]:
        """Return the prompts that ask for the class of each text, with `room` tokens left for the answer."""
        length = max(self.max_tokens - room - len(self._front) - len(self._cue), 0)
        return [
            np.array([*self._front, *text[:length], *self._cue], dtype=np.int32) for text in self._text(texts)
        ]

    def _encode(self, rows: pa.RecordBatch) -> list[tuple[list[int], int, bool, str | None]]:
        """Return (tokens, where the completion begins, whether something was cut, why no loss is borne)."""
        messages, labels = rows["messages"].to_pylist(), rows["label"].to_pylist()
        both = list(zip(messages, labels, strict=True))
        texts = iter(self._text([joined(turns) for turns, label in both if label is not None]))
        return [
            self._chat(turns or []) if label is None else self._labelled(next(texts), label)
            for turns, label in both
        ]

    def _labelled(self, text: list[int], label: str) -> tuple[list[int], int, bool, str | None]:
        completion = [*self.completion(label), self.tokenizer.eos_token_id]
        length = self.max_tokens - len(self._front) - len(self._cue) - len(completion)
        if not label.strip():
            return [], 0, False, "its label is blank"
        if length < 0:
            return [], 0, True, f"its label {label!r} does not fit into {self.max_tokens} tokens"
        prompt = [*self._front, *text[:length], *self._cue]
        return prompt + completion, len(prompt), len(text) > length, None

    def _chat(self, turns: list[dict[str, str]]) -> tuple[list[int], int, bool, str | None]:
        last = max((at for at, turn in enumerate(turns) if turn["role"] == "assistant"), default=None)
        if last is None:
            return [], 0, False, "it has no label and no turn of role assistant"
        if not (turns[last]["content"] or "").strip():
            return [], 0, False, "its last turn of role assistant is blank"
        prompt, completion = self._rendered(turns[: last + 1])
        if len(prompt) >= self.max_tokens:
            return (
                [],
                0,
                True,
                f"its prompt of {len(prompt)} tokens fills the {self.max_tokens} of max_tokens",
            )
        tokens = (prompt + completion)[: self.max_tokens]
        return tokens, len(prompt), len(tokens) < len(prompt) + len(completion), None

    def _rendered(self, turns: list[dict[str, str]]) -> tuple[list[int], list[int]]:
        """Render the turns, and part them before the last one's content."""
        found = rendered(self.tokenizer, turns)
        *earlier, answer = zip(found.before, found.contents, strict=True)
        prompt = [token for before, content in earlier for token in (*before, *content)]
        end = self.tokenizer.eos_token_id
        after = found.after
        closing = after[: after.index(end) + 1] if end in after else [*after, end]
        return [*prompt, *answer[0]], [*answer[1], *closing]

    @cached_property
    def _front(self) -> list[int]:
        """The token that begins a sequence, where the tokenizer sets one by itself."""
        begin = self.tokenizer.bos_token_id
        return [begin] if begin is not None and begin in self.tokenizer.encode("") else []

    @cached_property
    def _cue(self) -> list[int]:
        return self._text([CUE])[0]

    def _text(self, texts: Sequence[str]) -> list[list[int]]:
        return plain(self.tokenizer, texts)


def joined(turns: Sequence[dict[str, str]] | None) -> str:
    """Return a row's text: the contents of its messages, a line each."""
    return "\n".join(turn["content"] or "" for turn in turns or [])
