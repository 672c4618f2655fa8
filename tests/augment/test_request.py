"""What a prompt asks for is found where it begins with a request, and said otherwise without a change to anything else."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.request import requests

TEMPLATE = "Could you {request}?"


def said(text: str, template: str = TEMPLATE) -> str | None:
    (found,) = requests([text])
    return None if found is None else found.said(template)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Write a poem about cats", "Could you write a poem about cats?"),
        ("Please write a poem. Make it rhyme!", "Could you write a poem? Make it rhyme!"),
        ("Write a guide to Los Angeles.", "Could you write a guide to Los Angeles?"),  # and "los" is Spanish
        ("Write a poem about cats\rThe end", "Could you write a poem about cats?\rThe end"),
        ("Please help me write a poem, thank you.", "Could you help me write a poem?"),
        ("Would you please, list three fruits?", "Could you list three fruits?"),
        ("I'd like you to explain tides.", "Could you explain tides?"),
        ("I’d like you to explain tides.", "Could you explain tides?"),
        ("Tell me a joke, please.", "Could you tell me a joke?"),
        ("Name the capital of France.", "Could you name the capital of France?"),
        ("Write a letter to Dr. Smith about it.", "Could you write a letter to Dr. Smith about it?"),
        ("Translate to French: I am here. You too.", "Could you translate to French: I am here. You too."),
        ("Summarize this:\nDogs bark. Cats do not.", "Could you summarize this:\nDogs bark. Cats do not."),
        ("Fix the bug\n\n```py\nx = 1\n```", "Could you fix the bug?\n\n```py\nx = 1\n```"),
        ('Correct the sentence "He go home"', 'Could you correct the sentence "He go home"?'),
        ("Can you give me a list of rivers?", "Could you give me a list of rivers?"),
        ("Can you write a poem for me?", "Could you write a poem for me?"),
        ("Can you rephrase this sentence?", "Could you rephrase this sentence?"),
        ("Can you explain photosynthesis?", "Could you explain photosynthesis?"),
        ("Please create React components.", "Could you create React components?"),
        ("Write code that is fast.", "Could you write code that is fast?"),
        ("Decide whether this sentence is correct.", "Could you decide whether this sentence is correct?"),
        ("Translate this text into French.", "Could you translate this text into French?"),
        (" \n Calculate 5 + 7. ", " \n Could you calculate 5 + 7? "),
    ],
)
def test_a_request_is_asked_otherwise(text, other):
    assert said(text) == other


@pytest.mark.parametrize(
    "text",
    [
        "What is a poem?",
        "List prices rose.",
        "Read receipts are annoying.",
        "Merge conflicts happen a lot in our repo.",
        "Create React App fails to start",
        "Replace function not working in Excel",
        "Develop branch is ahead of main",
        "Combine harvester prices in Ohio",
        "Improve writing skills by reading books is a common tip.",
        "Write speed is slow.",
        "Please find attached the file.",
        "Please find the file attached.",
        "Write a letter to say thank you.",
        "Write a note to thank you",
        "Translate the word please",  # what it ends in may be its object
        "Explain how Germans say thanks",
        "Write a story about someone who says please",
        "Can you give a dog ibuprofen?",
        "Can you give blood if you are anaemic?",
        "Could you write off a car loan?",
        "Can you rewrite history?",
        "Complete this sentence the sky is",
        "Correct this sentence he go home",
        "Correct this he go home",
        "Compare A vs. B.",
        "Change is hard.",
        "Complete beginners are welcome.",
        "Could you swim?",
        "Can you divide by zero? Explain your answer.",
        "Would you recommend Paris or Rome?",
        "Write a review of Star Wars: A New Hope.",
        "Explain std::vector to me",
        "Find the value of x in the ratio a:b = 2.",
        "Find the time at 10 : 30",
        "Write a poem about\ncats and dogs.",
        "Classify this tweet as positive or negative, I love it!",
        "Identify the type of sentence for this sentence What a day!",
        "Calculate 5!",
        "You are asked to give a speech at a wedding. What do you say?",
        "Assume that x is 3. What is y?",
        "Build failed with error code 1.",
        "Write access denied for the file.",
        "Study in mice shows that sleep helps.",
        "Help my dog ate chocolate",
        "Find My iPhone keeps crashing.",
        "Translate 'I am late. You too' into French.",
        "WRITE A POEM ABOUT CATS",
        "Imagine une histoire courte.",
        "Write a poem and please keep it short",
        "Explain why the sky is blue?",  # as it is written it asks whether the sky is
        "Write a poem and do not rhyme.",
        "Open the page https://x.y.",  # the sign would go into the link
        "Write to @ann",
        "Write code that prints `x`.",
        "Generate a list - apples, pears.",
        'Translate "I am late. You too" into French.',
        "Translate",
        "Please",
        "Schreibe ein Gedicht.",
        "",
        " \n",
        "😀",
    ],
)
def test_what_is_no_request_or_cannot_be_told_is_none(text):
    assert said(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Write a poem" + " " * 10**6 + "x",
        "Fill in: " + "." * 10**6,
        "Write a" + "'" * 10**6,
        "please " * 10**5,
    ],
)
def test_a_long_prompt_is_read_in_no_time(text):
    start = time.perf_counter()
    requests([text])
    assert (
        time.perf_counter() - start < 10
    )  # hundredths of a second; an hour where a pattern goes back at each character


def test_a_request_alone_begins_with_a_capital():
    assert said("Could you explain tides? I like them.", "{request}.") == "Explain tides. I like them."
    assert said("Could you explain: Ann swims?", "{request}.") is None


pieces = st.lists(
    st.sampled_from(["please ", "Write ", "a poem", ": ", ". ", "?", "\n", '"', "`", "\x00", "\u202e", "😂", "ſ", "list ", "the ", "don't ", "İ", "x "]),
    max_size=12,
)  # fmt: skip


@settings(deadline=None)
@given(pieces, st.text(max_size=20))
def test_nothing_but_the_frame_changes(parts, rest):
    text = "".join(parts) + rest
    (found,) = requests([text])

    if found is not None:
        assert text.startswith(found.before)
        assert text.endswith(found.behind)
        assert found.asked[1:] in text
        assert requests([text, "x", text]) == [found, None, found]
        assert found.asked == requests([found.said("Please {request}.")])[0].asked
