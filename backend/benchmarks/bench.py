"""Runs the benchmarks one after the other, each in a process of its own.

    make bench                                    all of them
    make bench ARGS="home_speed --times 20"       one, with words of its own
    make bench ARGS="message_path ack words"

A mark that is missed is printed as such and is no failure, since it may be the machine's; a benchmark that breaks off is one.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
BENCHMARKS = (
    "message_path",
    "prompt_assembly",
    "home_speed",
    "import_speed",
    "search_speed",
    "search_quality",
    "answer_grounding",
)


def main(words: Sequence[str]) -> int:
    chosen, own = (words[:1], words[1:]) if words else (BENCHMARKS, ())
    if unknown := [name for name in chosen if name not in BENCHMARKS]:
        print(__doc__)
        print(f"There is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.")
        return 2
    broken = [name for name in chosen if not is_run(name, own)]
    if broken:
        print(f"broken off: {', '.join(broken)}")
    return 1 if broken else 0


def is_run(name: str, words: Sequence[str]) -> bool:
    print(f"\n== {name}", flush=True)
    return subprocess.run([sys.executable, FOLDER / f"{name}.py", *words], env=os.environ, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
