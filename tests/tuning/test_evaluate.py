"""What a model says of classes and answers, by two paths each."""

from typing import Any

import numpy as np
import pytest

from tests.tuning.conftest import chats
from tuning.evaluate import answers, class_log_probabilities, losses
from tuning.template import Template

TEXTS = ["good", "the table", "very very sad wall", "lovely", "awful the plain table of the user"] * 5


def _by_hand(model: Any, prompt: np.ndarray, answer: list[int]) -> float:
    """The log-probability of an answer by one plain pass over prompt and answer, alone in its batch."""
    import torch

    tokens = torch.tensor([[*prompt.tolist(), *answer]])
    with torch.no_grad():
        said = model(input_ids=tokens).logits[0].double().log_softmax(-1)
    return float(sum(said[len(prompt) + at - 1, token] for at, token in enumerate(answer)))


@pytest.mark.parametrize(
    "classes",
    [[[7], [9], [30]], [[7], [9, 4], [30, 5, 6, 11]], [[7, 4], [7, 5], [7, 4, 2]]],
    ids=["a token each", "more tokens", "one beginning"],
)
def test_the_shared_prompt_and_a_pass_for_each_class_agree(
    model: Any, tokenizer: Any, classes: list[list[int]]
) -> None:
    prompts = Template(tokenizer, 64).ask(TEXTS, 8)

    found = class_log_probabilities(model, prompts, classes)

    expected = np.array([[_by_hand(model, prompt, answer) for answer in classes] for prompt in prompts])
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_a_row_is_judged_the_same_to_the_last_bit_whatever_stands_beside_it(
    model: Any, tokenizer: Any
) -> None:
    classes = [[7], [9, 4], [30, 5, 6]]
    prompts = Template(tokenizer, 64).ask([f"{text} {number}" for number, text in enumerate(TEXTS)], 8)
    order = np.random.default_rng(0).permutation(len(prompts))

    whole = class_log_probabilities(model, prompts, classes)
    shuffled = class_log_probabilities(model, [prompts[at] for at in order], classes)
    alone = class_log_probabilities(model, prompts[3:4], classes)

    assert shuffled.tolist() == whole[order].tolist()
    assert alone.tolist() == whole[3:4].tolist()


def test_the_end_is_scored_only_where_one_class_begins_another() -> None:
    assert answers([[5], [6]], end=2) == [[5], [6]]
    assert answers([[5], [5, 6]], end=2) == [[5, 2], [5, 6, 2]]
    assert answers([[5, 7], [5, 6]], end=2) == [[5, 7], [5, 6]]


def test_the_loss_of_an_answer_is_that_of_a_plain_pass(model: Any, tokenizer: Any) -> None:
    turns = [[("user", text), ("assistant", f"{text} fine")] for text in TEXTS]
    examples = Template(tokenizer, 128).encode(chats(turns))

    found = losses(model, examples)

    expected = [
        -_by_hand(model, examples.prompt(at), examples.row(at)[examples.completions[at] :].tolist())
        for at in range(len(examples))
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
