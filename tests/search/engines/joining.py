"""A process that joins a search with the engine `optuna`: `python joining.py OPTIONS` as JSON.

It prints a line for each trial that it asked, and one for each that it told. Of its own trials it
hangs at number `hang`, and dies at number `out` while the values are drawn.
"""

import json
import os
import sys
import time

from tfkit.search import make_engine
from tfkit.search.engines import optuna

SPACE = {
    "a": {"float": [0.1, 1.0], "log": True},
    "b": {"int": [1, 4]},
    "c": {"choice": ["x", "y"]},
    "d": {"float": [0.1, 1.0], "step": 0.1, "when": {"c": ["x"]}},
}


def say(**line) -> None:
    print(json.dumps(line), flush=True)


def main(engine: dict, name: str = "", hang: int = -1, out: int = -1, nap: float = 0.03) -> None:
    made = make_engine("optuna", SPACE, **engine)
    say(ready=name)
    mine = 0
    while not made.done:
        if mine == out:
            optuna.draw = lambda *_: os._exit(9)
        if (trial := made.ask()) is None:
            time.sleep(0.05)
            continue
        say(asked=trial.id, values=trial.values)
        time.sleep(600 if mine == hang else nap)
        made.tell(trial.id, trial.values["a"] + trial.values["b"], about={"by": name})
        say(told=trial.id)
        mine += 1


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
