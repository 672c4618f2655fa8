"""The report in a real browser: it fits, sorts, filters, prints, shows the worst first, and runs nobody else's code."""

from dataclasses import replace

import pytest

from audit.page.report import render
from tests.audit.page.browser import CHROMIUM, browser
from tests.audit.page.test_approved import approval, failure, gate
from tests.audit.page.test_report import HOSTILE, full

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")

PAYLOADS = (
    HOSTILE,
    "</script><script>document.title='run'</script>",
    "\"><svg onload=document.title='run'>",
    "' onmouseover=document.title='run' x='",
    "</style><style>body{display:none}</style>",
    "javascript:document.title='run'",
    "\u202egnp.exe\u2066\x00\x08<b>",
    "--><img src=x onerror=document.title='run'>",
)


@pytest.fixture(scope="module")
def page():
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render(full("reviews")), encoding="utf-8")
    return file


@pytest.mark.parametrize("width", [1400, 390])
def test_the_page_fits_and_the_worst_is_on_the_first_screen(page, report, width):
    page.open(report, width, 844 if width < 600 else 900)

    assert page.run("document.documentElement.scrollWidth") <= width
    for what in ("#verdict .verdict", "#worst li p:nth-of-type(2)", "#worst li .cause"):
        below = page.run(f"document.querySelector({what!r}).getBoundingClientRect().bottom")
        assert below <= page.run("innerHeight"), what


@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("approved", [False, True])
def test_gates_and_a_long_reason_leave_the_worst_on_the_first_screen(page, tmp_path, width, approved):
    facts = full("reviews")
    gates = [
        gate(
            axis, *(failure(f"group {n} of {axis}", stage) for n in range(4) for stage in ("total", "length"))
        )
        for axis in ("gender", "religion", "nationality", "gender & religion")
    ]
    held = {**facts.audit, "gates": [*gates, gate("region")]}
    said = [approval(*gates, by="Ada Lovelace, data steward", reason="advertisements of two shops " * 30)]
    file = tmp_path / "report.html"
    file.write_text(render(replace(facts, audit=held, approvals=said if approved else ())), encoding="utf-8")

    page.open(file, width, 844 if width < 600 else 900)

    assert page.run("document.documentElement.scrollWidth") <= width
    assert (page.run("document.querySelector('#verdict .approval')?.textContent") is not None) == approved
    for what in ("#verdict .verdict", "#worst li p:nth-of-type(2)", "#worst li .cause"):
        below = page.run(f"document.querySelector({what!r}).getBoundingClientRect().bottom")
        assert below <= page.run("innerHeight"), what


LONG = {
    "short": "women",
    "long": "a group of some very long name (with brackets) and more",
    "far": "\u5973\u6027" * 30,
    "wide": "W" * 60,
    "loud": "AGE AND DISABILITY OF VETERANS, AND OTHERS",
}


@pytest.mark.parametrize("name", LONG)
def test_no_label_of_a_figure_is_cut_off(page, tmp_path, name):
    file = tmp_path / "report.html"
    file.write_text(render(full("reviews", group=LONG[name])), encoding="utf-8")
    page.open(file, 1400)

    beyond = """[...document.querySelectorAll('svg.figure')].flatMap(svg => {
      const box = svg.getBoundingClientRect();
      return [...svg.querySelectorAll('text')].filter(text => {
        const at = text.getBoundingClientRect();
        return at.left < box.left - 1 || at.right > box.right + 1;
      }).map(text => text.textContent);
    })"""
    assert page.run("document.querySelectorAll('svg.figure text').length") > 20
    assert page.run(beyond) == []


def test_on_a_phone_interval_and_rows_stand_under_the_ratio(page, report):
    shown = "[...document.querySelectorAll('#forest td[data-under]')].map(cell => getComputedStyle(cell, '::after').content)"
    page.open(report, 390, 844)
    narrow = page.run(shown)
    page.open(report, 1400)

    totals = [
        one
        for one in full("reviews").audit["findings"]
        if one["rule"] == "impact_ratio" and one["ratio"] is not None
    ]
    told = {f'"{one["low"]:.2f} to {one["high"]:.2f}, n\u00a0{one["n"]:,}"' for one in totals}
    assert narrow
    assert set(narrow) <= told
    assert set(page.run(shown)) == {"none"}


def test_a_command_stands_on_one_line(page, report):
    page.open(report, 390, 844)

    lines = "[...document.querySelectorAll('#remedies td code')].map(code => code.getClientRects().length)"
    assert set(page.run(lines)) == {1}
    assert page.run("document.documentElement.scrollWidth") <= 390


def column(page, number):
    code = f"[...document.querySelector('#retention table.sorts').tBodies[0].rows].filter(row => row.cells.length > 1).map(row => row.cells[{number}].textContent)"
    return page.run(code)


def test_a_table_is_sorted_by_the_head_that_is_chosen(page, report):
    page.open(report, 1400)
    before = column(page, 1)

    page.run("document.querySelector('#retention table.sorts thead').rows[0].cells[1].click()")
    rising = column(page, 1)
    page.run("document.querySelector('#retention table.sorts thead').rows[0].cells[1].click()")

    numbers = [int(text.replace(",", "")) for text in rising]
    assert numbers == sorted(numbers)
    assert sorted(rising) == sorted(before)
    assert column(page, 1) == rising[::-1]
    assert (
        page.run("document.querySelector('#retention [aria-sort]').getAttribute('aria-sort')") == "descending"
    )


def test_rows_of_other_groups_are_hidden(page, report):
    page.open(report, 1400)

    page.run(
        "{const i = document.querySelector('#filter'); i.value = 'WOMEN'; i.dispatchEvent(new Event('input'))}"
    )

    shown = "[...document.querySelectorAll('#retention table.sorts tbody tr')].filter(row => row.cells.length > 1 && !row.hidden).map(row => row.cells[0].textContent)"
    assert page.run(shown)
    assert all("women" in name for name in page.run(shown))
    page.run(
        "{const i = document.querySelector('#filter'); i.value = ''; i.dispatchEvent(new Event('input'))}"
    )
    assert len({name.split()[0] for name in page.run(shown)}) > 2


def test_it_prints(page, report):
    page.open(report, 1400)

    printed = page.printed()

    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") >= 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_by_day_and_by_night(page, report, scheme):
    """Contrast of the page's text and of its figures' text is at least 4.5 (WCAG 2.2, 1.4.3)."""
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.open(report, 1400)

    def colour(code):
        return [int(part) for part in page.run(code).removeprefix("rgb(").removesuffix(")").split(", ")]

    def light(rgb):
        parts = [
            part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
            for part in rgb
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    paper = light(colour("getComputedStyle(document.body).backgroundColor"))
    assert (paper < 0.1) == (scheme == "dark")
    for what in ("body", "#fate svg text", ".lead", "#worst .badge"):
        kind = "fill" if "svg" in what else "color"
        ink = light(colour(f"getComputedStyle(document.querySelector({what!r})).{kind}"))
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 4.5, what
    page.send("Emulation.setEmulatedMedia", features=[])


@pytest.mark.parametrize("text", PAYLOADS)
def test_hostile_text_runs_nothing_and_asks_nobody(page, tmp_path, text):
    file = tmp_path / "report.html"
    file.write_text(render(full(text, group=text.replace("=", "") or "x")), encoding="utf-8")
    page.said.clear()
    page.asked.clear()

    page.open(file, 1400)
    page.run("document.querySelectorAll('*').forEach(one => one.dispatchEvent(new Event('mouseover')))")

    assert page.run("document.title") != "run"
    assert page.run("getComputedStyle(document.body).display") != "none"
    assert page.said == []
    assert page.asked == [file.as_uri()]
    assert page.run("document.querySelectorAll('script').length") == 1
