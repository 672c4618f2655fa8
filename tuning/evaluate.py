"""What a causal language model says of rows: how likely each class is, and how likely the right answer is."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tuning.examples import IGNORED, Examples, collate, fixed_batches, padded

BATCH_ROWS = 8
WIDTH_STEP = 4
"""The shapes of a batch. Every batch is filled up to them, so a row's answer does not depend on its neighbours;
smaller steps waste less on padding, larger batches feed the processor better (measured on two cores)."""

FILLER = 0


def answers(classes: Sequence[Sequence[int]], end: int) -> list[list[int]]:
    """Return the tokens by which each class is scored: its own, and the end where one class begins another.

    With 'good' and 'good enough' only the end tells the first from the second's beginning.
    """
    begins = any(
        list(other[: len(tokens)]) == list(tokens)
        for at, tokens in enumerate(classes)
        for against, other in enumerate(classes)
        if at != against
    )
    return [[*tokens, end] if begins else list(tokens) for tokens in classes]


def class_log_probabilities(
    model: Any, prompts: Sequence[np.ndarray], classes: Sequence[Sequence[int]]
) -> np.ndarray:
    """Return the log-probability of each class's tokens after each prompt: float64, rows by classes.

    A prompt is run once. Where each class is one token its last logits answer; the other classes go on from
    the prompt's keys and values.
    """
    import torch

    lengths = np.array([len(prompt) for prompt in prompts])
    out = np.empty((len(prompts), len(classes)))
    longer = any(len(tokens) > 1 for tokens in classes)
    model.eval()
    with torch.inference_mode():
        for width, positions in fixed_batches(lengths, BATCH_ROWS, WIDTH_STEP):
            tokens = padded([prompts[at] for at in positions], width, FILLER, BATCH_ROWS)
            ends = np.full(BATCH_ROWS, width)
            ends[: len(positions)] = lengths[positions]
            last_seen = torch.from_numpy(ends - 1)[:, None].to(model.device)
            seen = model(
                input_ids=torch.from_numpy(tokens).to(model.device),
                use_cache=longer,
                logits_to_keep=last_seen,
            )
            last = seen.logits[:, 0].float().log_softmax(-1)
            for at, answer in enumerate(classes):
                score = last[:, answer[0]].double()
                if len(answer) > 1:
                    score = score + _continued(
                        model, seen.past_key_values, torch.from_numpy(ends), width, answer
                    )
                out[positions, at] = score[: len(positions)].cpu().numpy()
    return out


def _continued(model: Any, cache: Any, ends: Any, width: int, answer: Sequence[int]) -> Any:
    """Return the log-probability of an answer's tokens behind its first, from the keys and values of the prompts."""
    import torch

    rows, more = len(ends), len(answer) - 1
    seen = torch.arange(width)[None, :] < ends[:, None]
    mask = torch.cat([seen, torch.ones(rows, more, dtype=torch.bool)], dim=1).long().to(model.device)
    places = (ends[:, None] + torch.arange(more)[None, :]).to(model.device)
    given = torch.tensor(answer[:-1], device=model.device).expand(rows, more)
    said = model(
        input_ids=given, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True
    )
    cache.crop(-more)
    wanted = torch.tensor(answer[1:], device=model.device).expand(rows, more)
    return said.logits.float().log_softmax(-1).gather(-1, wanted[..., None])[..., 0].double().sum(-1)


def losses(model: Any, examples: Examples) -> np.ndarray:
    """Return the negative log-likelihood of each row's completion, summed over its tokens: float64, in nats."""
    import torch

    out = np.zeros(len(examples))
    model.eval()
    with torch.inference_mode():
        for width, positions in fixed_batches(examples.lengths, BATCH_ROWS, WIDTH_STEP):
            if width == 0:
                continue
            filled = [int(positions[min(at, len(positions) - 1)]) for at in range(BATCH_ROWS)]
            batch = {
                name: tensor.to(model.device)
                for name, tensor in collate(examples, filled, FILLER, width).items()
            }
            nll, rows = token_losses(model, batch)
            summed = torch.zeros(BATCH_ROWS, dtype=torch.float64).index_add(0, rows.cpu(), nll.double().cpu())
            out[positions] = summed[: len(positions)].numpy()
    return out


def token_losses(model: Any, batch: dict[str, Any]) -> tuple[Any, Any]:
    """Return the negative log-likelihood of each token of a batch that bears a loss, and the row that it stands in.

    Only what bears a loss passes through the output layer: of a small model with a large vocabulary, which
    SmolLM2 is, that layer is a fifth of the work.
    """
    import torch

    labels = batch["labels"]
    borne = torch.nn.functional.pad(labels[:, 1:] != IGNORED, (0, 1), value=False)
    logits = model(input_ids=batch["input_ids"], use_cache=False, logits_to_keep=borne).logits
    wanted = labels.roll(-1, dims=1)[borne]
    return torch.nn.functional.cross_entropy(logits.float(), wanted, reduction="none"), borne.nonzero()[:, 0]
