"""What the figures were measured on: without it they say nothing.

Asked of the machine itself, and of the packages that are installed.
"""

import os
import platform
import subprocess
import time
from pathlib import Path

from bench.match import PACKAGES
from bench.service import HOUSE
from bench.table import installed

OURS = ("uvicorn", "uvloop", "httptools", "msgspec", "orjson", "lmdb", "cel-expr-python")


def described() -> dict[str, str]:
    """What stands above the table."""
    packages = sorted({*OURS, *PACKAGES.values()}, key=str.lower)
    return {
        "Date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "Code": _commit(),
        "Machine": f"{_processor()}, {os.cpu_count()} cores, {_memory()}, load {os.getloadavg()[0]:.1f} at the end",
        "System": f"{platform.system()} {platform.release()}, {platform.python_implementation()} "
        f"{platform.python_version()}",
        "Packages": ", ".join(f"{name} {found}" for name in packages if (found := installed(name))),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> str:
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"


def _commit() -> str:
    """Which commit, and whether something was changed since."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    done = subprocess.run(command, cwd=HOUSE, check=False, capture_output=True, text=True)
    return done.stdout.strip() or "no git checkout"
