import os
import subprocess
import sys

from corpus.engine import SPREAD_ROWS, Local

CHILD = """
import sys
from corpus.engine import Local

def has(module):
    return module in sys.modules

if __name__ == "__main__":
    with Local(2, ["colorsys"]) as engine:
        engine.expect({rows})
        print(list(engine.map(has, ["colorsys", "colorsys"], {rows}, heavy=True)), "colorsys" in sys.modules)
"""


def doubled(number: int) -> int:
    return 2 * number


def test_answers_come_in_the_order_of_the_tasks_from_one_process_or_two():
    for workers in (1, 2):
        with Local(workers) as engine:
            assert list(engine.map(doubled, list(range(7)), rows=7)) == [0, 2, 4, 6, 8, 10, 12]


def test_workers_and_this_process_have_the_modules_that_a_pass_needs(tmp_path):
    child = tmp_path / "child.py"
    child.write_text(CHILD.format(rows=SPREAD_ROWS))

    found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run(
        [sys.executable, str(child)], capture_output=True, text=True, check=True, env=found
    )

    assert answer.stdout == "[True, True] True\n"


def test_work_of_few_rows_stays_in_this_process():
    with Local() as engine:
        assert list(engine.map(id, [engine, engine], rows=SPREAD_ROWS - 1)) == [id(engine), id(engine)]
