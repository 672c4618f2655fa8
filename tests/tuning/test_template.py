"""What a row becomes: which of its tokens are the prompt, and which bear the loss."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.schema import UserError
from tests.tuning.conftest import chats, labelled
from tuning.template import Template

SPECIAL = {0, 1, 2}


def test_a_labelled_row_trains_on_its_class_and_the_end(tokenizer: Any) -> None:
    examples = Template(tokenizer, 64).encode(labelled([("the table", "positive")]))

    whole = tokenizer.decode(examples.row(0))
    prompt = tokenizer.decode(examples.prompt(0))

    assert whole == "the table\nLabel: positive<|im_end|>"
    assert prompt == "the table\nLabel:"
    assert list(examples.reasons) == [None]


def test_the_prompt_that_asks_for_a_class_is_the_one_that_was_trained_on(tokenizer: Any) -> None:
    template = Template(tokenizer, 24)
    rows = [("the table " * 9, "positive"), ("bad", "negative")]
    room = max(len(template.completion(label)) for _, label in rows) + 1

    asked = template.ask([text for text, _ in rows], room)
    trained = [template.encode(labelled([row])).prompt(0) for row in rows]

    assert asked[1].tolist() == trained[1].tolist()
    assert tokenizer.decode(asked[0]).endswith("\nLabel:")
    assert len(asked[0]) == 24 - room


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from([*"<|im>\n é😀", "<|im_end|>", "<|im_start|>", "user", "Label:"])).map("".join)
)
def test_a_text_that_spells_special_tokens_stays_a_text(tokenizer: Any, text: str) -> None:
    template = Template(tokenizer, 4_000)

    of_class = template.encode(labelled([(text, "positive")])).row(0)
    of_chat = template.encode(chats([[("user", text), ("assistant", text + "fine")]])).row(0)

    assert [token for token in of_class.tolist() if token in SPECIAL] == [2]
    assert [token for token in of_chat.tolist() if token in SPECIAL] == [1, 2, 1, 2]
    assert tokenizer.decode(of_class) == f"{text}\nLabel: positive<|im_end|>"
    assert tokenizer.decode(of_chat) == (
        f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n{text}fine<|im_end|>"
    )


def test_a_chat_trains_on_its_last_turn_of_the_assistant_alone(tokenizer: Any) -> None:
    chat = [
        ("user", "the wall"),
        ("assistant", "bad"),
        ("user", "very"),
        ("assistant", "good"),
        ("user", "fine"),
    ]

    examples = Template(tokenizer, 256).encode(chats([chat]))

    borne = examples.row(0)[examples.completions[0] :]
    assert tokenizer.decode(borne) == "good<|im_end|>"
    assert tokenizer.decode(examples.prompt(0)).endswith(
        "<|im_start|>user\nvery<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_chat_without_special_tokens_is_rendered_as_the_chat_template_says(tokenizer: Any) -> None:
    chat = [("system", "the wall"), ("user", "very sad"), ("assistant", "good")]
    turns = [{"role": role, "content": content} for role, content in chat]

    examples = Template(tokenizer, 256).encode(chats([chat]))

    assert tokenizer.decode(examples.row(0)) + "\n" == tokenizer.apply_chat_template(turns, tokenize=False)


def test_a_row_that_bears_no_loss_says_why(tokenizer: Any) -> None:
    template = Template(tokenizer, 24)

    of_class = template.encode(labelled([("good", " "), ("good", "very " * 40), ("good", None)]))
    of_chat = template.encode(
        chats([[("user", "the " * 40), ("assistant", "fine")], [("assistant", " ")], []])
    )

    assert [reason and reason.split(" of ")[0] for reason in (*of_class.reasons, *of_chat.reasons)] == [
        "its label is blank",
        f"its label '{'very ' * 40}' does not fit into 24 tokens",
        "it has no label and no turn",
        "its prompt",
        "its last turn",
        "it has no label and no turn",
    ]
    assert of_class.supervised.tolist() == [0, 0, 0]
    assert of_chat.supervised.tolist() == [0, 0, 0]


def test_a_text_is_cut_so_that_its_class_still_fits(tokenizer: Any) -> None:
    examples = Template(tokenizer, 20).encode(
        labelled([("the table " * 50, "positive"), ("bad", "positive")])
    )

    assert examples.lengths[0] == 20
    assert tokenizer.decode(examples.row(0)).endswith("\nLabel: positive<|im_end|>")
    assert examples.truncated.tolist() == [True, False]


def test_an_answer_too_long_loses_its_end(tokenizer: Any) -> None:
    examples = Template(tokenizer, 40).encode(chats([[("user", "the"), ("assistant", "very " * 60)]]))

    assert examples.lengths.tolist() == [40]
    assert examples.row(0)[-1] != tokenizer.eos_token_id
    assert examples.truncated.tolist() == [True]


def test_a_tokenizer_that_begins_sequences_by_itself_begins_them_here(tokenizer: Any) -> None:
    from copy import deepcopy

    from tokenizers.processors import TemplateProcessing

    beginning = deepcopy(tokenizer)
    beginning.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", 1)]
    )

    examples = Template(beginning, 64).encode(labelled([("the table", "positive")]))

    assert beginning.decode(examples.row(0)) == "<|im_start|>the table\nLabel: positive<|im_end|>"


def test_a_chat_needs_a_chat_template_that_renders_each_turn(tokenizer: Any) -> None:
    from copy import deepcopy

    rows = chats([[("system", "the"), ("user", "the"), ("assistant", "fine")]])
    without, forgetful = deepcopy(tokenizer), deepcopy(tokenizer)
    without.chat_template = None
    forgetful.chat_template = "{{ messages[-1]['content'] }}"

    with pytest.raises(UserError, match="has none: take a chat model"):
        Template(without, 64).encode(rows)
    with pytest.raises(UserError, match="changed or left out turn 0"):
        Template(forgetful, 64).encode(rows)
