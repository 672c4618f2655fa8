"""What a result was measured on: it stands in every file of bench/results."""

import os
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil


def pace() -> float:
    """Return the seconds that ten million additions take in a Python loop: shared machines are not equally fast all day."""
    began, total = time.perf_counter(), 0
    for number in range(10**7):
        total += number
    return round(time.perf_counter() - began, 2)


def describe() -> dict[str, Any]:
    """Return processor, cores, memory, system and the versions that matter."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        model = next(
            (line.split(":")[1].strip() for line in file if line.startswith("model name")),
            platform.processor(),
        )
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {
            name: version(name) for name in ("pyarrow", "numpy", "numba", "torch", "transformers", "prefect")
        },
    }
