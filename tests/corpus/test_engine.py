import os
import subprocess
import sys

import pytest

from corpus.engine import SPREAD_ROWS, Local
from tests.corpus.test_pipe import gone

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

OWNER = """
import os, time
from corpus.engine import Local

def work(seconds):
    os.write(1, f"{{os.getpid()}} {{os.getppid()}}\\n".encode())
    time.sleep(seconds)

if __name__ == "__main__":
    with Local(2) as engine:
        list(engine.map(work, [{seconds}] * 2, 2))
        time.sleep(1000)
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


@pytest.mark.parametrize("seconds", [0.5, 1000], ids=["idle", "at work"])
def test_workers_and_their_server_end_with_a_process_that_is_killed(seconds, tmp_path):
    script = tmp_path / "owner.py"
    script.write_text(OWNER.format(seconds=seconds))
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=found
    ) as owner:
        assert owner.stdout is not None
        pids = {int(word) for _ in range(2) for word in owner.stdout.readline().split()}

        owner.kill()

    assert len(pids) == 3
    assert all(gone(pid) for pid in pids)
