"""CPU time of the light commands above the import of the libraries that they need.

.venv/bin/python scripts/bench/commands.py --rounds 7
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

BARE = "import typer, rich"
# pydantic loads what it is made of at the first use of a name; typer uses them all for one option
LIBRARIES = "import typer, rich, ruamel.yaml; from pydantic import BaseModel, TypeAdapter, Field"
RECIPE = "recipes/disentanglement/quick.yaml"
COMMANDS = {
    "--help": BARE,
    "run --help": BARE,
    "list": LIBRARIES,
    "describe beta_tcvae": LIBRARIES,
    f"validate {RECIPE}": LIBRARIES,
    "init beta_vae": LIBRARIES,
    f"diff {RECIPE} recipes/disentanglement/dsprites.yaml": LIBRARIES,
}


def cpu_seconds(command: list[str]) -> float:
    """User and system time of one process."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """One line a command: medians of interleaved runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    for command, imports in COMMANDS.items():
        ours = [sys.executable, "-m", "tfkit", *command.split()]
        base = [sys.executable, "-c", imports]
        cpu_seconds(ours), cpu_seconds(base)
        pairs = [(cpu_seconds(ours), cpu_seconds(base)) for _ in range(rounds)]
        total, floor = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(f"{command:<70} {total:.2f} s, {total - floor:+.2f} s above `{imports}`", flush=True)


if __name__ == "__main__":
    main()
