"""What a search costs beside its trainings, what workers gain, and what kills lose.

    .venv/bin/python scripts/bench/search.py cost      milliseconds of a trial beside its training
    .venv/bin/python scripts/bench/search.py workers   two workers against one
    .venv/bin/python scripts/bench/search.py stock     against Keras Tuner alone
    .venv/bin/python scripts/bench/search.py kills     random kills over all engines and executors

`workers` and `stock` train trials of about 20 seconds with one thread each, the sides in turn.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

SPACE = {
    "train.optimizer.learning_rate": {"float": [1e-4, 1e-2], "log": True},
    "model.beta": {"float": [1.0, 8.0]},
    "model.encoder.latent_dim": {"int": [2, 6]},
}
DATA = {
    "name": "dsprites",
    "image_size": 16,
    "batch_size": 16,
    "validation_size": 200,
    "test_size": 200,
}
ENGINES = ("random", "grid", "bayesian", "hyperband", "optuna")


def recipe(engine, executor="inline", steps=240, trials=4, space=SPACE, **search):
    """A search over a small β-VAE."""
    return {
        "name": "searched",
        "seed": 11,
        "data": DATA,
        "model": {
            "name": "beta_vae",
            "encoder": {"name": "study_encoder", "latent_dim": 4},
            "decoder": "study_decoder",
        },
        "train": {"steps": steps, "save_every": 20, "threads": 1},
        "search": {
            "engine": engine,
            "executor": executor,
            "trials": trials,
            "objective": "valid/reconstruction",
            "goal": "min",
            "space": space,
            **search,
        },
        "evaluate": {"samples": 200, "metrics": ["reconstruction"]},
    }


# --- cost -------------------------------------------------------------------------------------


def cost(options):
    """Everything that a trial costs beside its training: ask, recipe, folder, tell, search.json."""
    from tfkit.search.executors import inline
    from tfkit.search.work import Outcome

    inline.perform = lambda task, *rest: Outcome("completed", draw.random(), 0.0)
    draw = random.Random(0)
    for engine in ENGINES:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            times = trial_times(engine, options.trials)
        late = times[-10:]
        print(
            f"{engine:10} median {1e3 * statistics.median(times):6.1f} ms a trial, "
            f"first {1e3 * times[0]:.0f}, last ten {1e3 * statistics.median(late):.1f}",
            flush=True,
        )


def trial_times(engine, trials):
    """Seconds from one trial's end to the next one's."""
    from tfkit import recipe as recipes
    from tfkit.search.clock import Clock
    from tfkit.search.executors.base import Surroundings
    from tfkit.search.executors.inline import Inline
    from tfkit.search.trials import Search
    from tfkit.train.build import load_data
    from tfkit.train.folder import RunFolder

    space = (
        {**SPACE, "model.beta": {"float": [1.0, 8.0], "step": 0.5}} if engine == "grid" else SPACE
    )
    known = recipes.load(recipe(engine, trials=trials, steps=20 * 81, space=space))
    source = load_data(known.resolved)
    search = Search(RunFolder("run").part(), known, source, lambda text: None, Clock(None, 1, 1))
    ends = [time.perf_counter()]
    tell = search.finished

    def finished(task, outcome):
        tell(task, outcome)
        ends.append(time.perf_counter())

    search.finished = finished
    search.run(Inline(), Surroundings(Path("run"), known.resolved, source, False))
    return [after - before for before, after in zip(ends, ends[1:], strict=False)]


# --- whole commands ---------------------------------------------------------------------------


def tfkit_search(folder, *arguments):
    """`tfkit search` in `folder`, in a group of processes of its own."""
    command = [sys.executable, "-m", "tfkit", "search", *map(str, arguments), "--quiet"]
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def completed(process):
    """Wait; the process must have ended well."""
    _, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"tfkit search ended with {process.returncode}:\n{errors}")


def whole_search(root, name, given):
    """Seconds of a search in a folder of its own, and what it found."""
    folder = Path(root, name)
    folder.mkdir()
    (folder / "recipe.yaml").write_text(json.dumps(given))
    began = time.perf_counter()
    completed(tfkit_search(folder, "recipe.yaml"))
    return time.perf_counter() - began, search_of(folder)


def search_of(folder):
    """`search.json` of the one run below `folder`."""
    (path,) = folder.glob("runs/searched/*/search/search.json")
    return json.loads(path.read_text())


def workers(options):
    """One worker against two, in turn."""
    ratios = []
    with tempfile.TemporaryDirectory() as root:
        for turn in range(options.rounds):
            seconds = {}
            order = (1, 2) if turn % 2 == 0 else (2, 1)
            for count in order:
                given = recipe("random", {"name": "local", "workers": count}, options.steps)
                took, found = whole_search(root, f"{turn}-{count}", given)
                trials = statistics.median(t["seconds"] for t in found["trials"])
                searched = max(trial["ended"] for trial in found["trials"])
                seconds[count] = searched
                print(
                    f"{count} worker(s): search {searched:.0f} s, {trials:.1f} s a trial, "
                    f"command {took:.0f} s",
                    flush=True,
                )
            ratios.append(seconds[1] / seconds[2])
    print(f"speed-up of two workers: {statistics.median(ratios):.2f} {ratios}")


def stock(options):
    """Wall clock of the same search by Keras Tuner alone and by tfkit, in turn."""
    ratios, extras = [], []
    with tempfile.TemporaryDirectory() as root:
        for turn in range(options.rounds):
            sides = (ours, theirs) if turn % 2 == 0 else (theirs, ours)
            took = {side.__name__: side(root, turn, options) for side in sides}
            ratios.append(took["ours"] / took["theirs"])
            extras.append(took["ours"] - took["theirs"])
            print({name: round(each, 2) for name, each in took.items()}, flush=True)
    print(
        f"seconds a trial, tfkit / Keras Tuner: median {statistics.median(ratios):.3f} "
        f"({', '.join(f'{r:.3f}' for r in ratios)}); {statistics.median(extras):+.2f} s a trial"
    )


def ours(root, turn, options):
    """Seconds of a trial of `tfkit search`, from the first trial's start to the last one's end."""
    given = recipe(
        "random", steps=options.steps, trials=options.trials, keep="all", objective="reconstruction"
    )
    _, found = whole_search(root, f"ours-{turn}", given)
    return max(trial["ended"] for trial in found["trials"]) / options.trials


def theirs(root, turn, options):
    """The same by Keras Tuner's RandomSearch over `Model.fit` with its usual checkpoints."""
    command = [sys.executable, __file__, "theirs", "--steps", str(options.steps)]
    command += ["--trials", str(options.trials), "--folder", str(Path(root, f"theirs-{turn}"))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.split()[-1]) / options.trials


def stock_tuner(options):
    """Runs in a process of its own, as a user of Keras Tuner would."""
    import keras
    import keras_tuner
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from tfkit.data.dsprites import load
    from tfkit.methods.disentanglement.networks import study_decoder, study_encoder
    from tfkit.models import BetaVAE

    source = load(image_size=16, validation_size=200, test_size=200)

    def build(hp):
        rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
        beta, latent = hp.Float("beta", 1.0, 8.0), hp.Int("latent_dim", 2, 6)
        shape = (16, 16, 1)
        model = BetaVAE(study_encoder(shape, latent), study_decoder(shape, latent), beta=beta)
        model.compile(keras.optimizers.Adam(rate))
        return model

    tuner = keras_tuner.RandomSearch(
        build,
        objective=keras_tuner.Objective("reconstruction", "min"),
        max_trials=options.trials,
        seed=12,
        directory=options.folder,
    )
    train = source.train(16, seed=1).map(lambda batch: batch["images"]).prefetch(2)
    began = time.perf_counter()
    epochs = options.steps // 20
    tuner.search(train, steps_per_epoch=20, epochs=epochs, verbose=0)
    print(time.perf_counter() - began)


# --- kills ------------------------------------------------------------------------------------

VANISH_SECONDS = 20  # that workers have for noticing that their owner is gone
INLINE, LOCAL = {"name": "inline"}, {"name": "local", "workers": 2}
SCENES = [  # engine, executor, processes that search together
    ("random", INLINE, 1),
    ("grid", INLINE, 1),
    ("bayesian", INLINE, 1),
    ("hyperband", INLINE, 1),
    ("random", LOCAL, 1),
    ("hyperband", LOCAL, 1),
    ("bayesian", LOCAL, 1),
    ("optuna", INLINE, 2),
    ("optuna", LOCAL, 2),
]


def killed_recipe(engine, executor):
    """A search of a few seconds a trial."""
    if engine == "grid":
        space = {"model.beta": {"choice": [1.0, 2.0]}, "model.encoder.latent_dim": {"int": [2, 3]}}
        return recipe(engine, executor, steps=60, trials=None, space=space)
    if engine == "hyperband":
        return recipe(engine, executor, steps=180, trials=None, keep="all")
    extra = {"name": "optuna", "lease": 5.0, "pruner": "median"} if engine == "optuna" else engine
    return recipe(extra, executor, steps=60, trials=5)


def kills(options):
    """Rounds of random kills; what is lost, done twice or different ends the script with 1."""
    draw, done, wrong, expected = random.Random(options.seed), Counter(), 0, {}
    scenes = SCENES + ([("random", {"name": "ray", "cpus": 1}, 1)] if options.ray else [])
    with tempfile.TemporaryDirectory() as root:
        turn = 0
        while sum(done.values()) < options.kills:
            engine, executor, together = scenes[turn % len(scenes)]
            folder = Path(root, str(turn))
            folder.mkdir()
            (folder / "recipe.yaml").write_text(json.dumps(killed_recipe(engine, executor)))
            key = engine if together == 1 else None
            if key and key not in expected:
                expected[key] = outcome(uninterrupted(root, engine))
            events = killed_round(folder, together, options.per_round, draw)
            found = complaints(folder, engine, executor, expected.get(key))
            wrong += bool(found)
            done.update(events)
            said = ", ".join(events)
            name = f"{engine} on {executor['name']} x {together}"
            print(f"{name}: {said}: {found or 'nothing lost, no trial twice'}", flush=True)
            shutil.rmtree(folder)
            turn += 1
    print(f"{sum(done.values())} kills ({dict(done)}), {wrong} of {turn} rounds wrong")
    sys.exit(bool(wrong))


def uninterrupted(root, engine):
    """The search of an engine in one go, in one process."""
    folder = Path(root, f"whole-{engine}")
    folder.mkdir()
    (folder / "recipe.yaml").write_text(json.dumps(killed_recipe(engine, INLINE)))
    completed(tfkit_search(folder, "recipe.yaml"))
    return search_of(folder)


def killed_round(folder, together, count, draw):
    """Start, kill, go on, until `count` kills are done and the search is over."""
    events = []
    while len(events) < count:
        processes = [started(folder, together, bool(events)) for _ in range(together)]
        while not list(folder.glob("runs/searched/*/search/*")):
            time.sleep(0.05)
            refuse_failed(processes)
        with contextlib.suppress(subprocess.TimeoutExpired):
            processes[0].wait(draw.uniform(0, 25))
        if processes[0].poll() is not None:
            break  # it was faster
        workers = children(processes[0].pid)
        victim = draw.choice(["owner", "worker"] if workers else ["owner"])
        os.kill(draw.choice(workers) if victim == "worker" else processes[0].pid, signal.SIGKILL)
        events.append(victim)
        if victim == "worker" or together > 1:
            for process in processes[1 if victim == "owner" else 0 :]:
                completed(process)
            break
        processes[0].wait()
        end = time.monotonic() + VANISH_SECONDS
        while alive(workers):
            assert time.monotonic() < end, "workers outlived their owner"
            time.sleep(0.1)
    completed(started(folder, together, True))
    return events


def started(folder, together, again):
    """The same command for a shared search, a resumed one otherwise."""
    run = next(folder.glob("runs/searched/*/resolved.yaml"), None)
    if together == 1 and again and run is not None:
        return tfkit_search(folder, "--resume", run.parent.relative_to(folder))
    return tfkit_search(folder, "recipe.yaml")


def refuse_failed(processes):
    """Raise where one has ended badly."""
    for process in processes:
        if process.poll():
            completed(process)


def children(pid):
    """Processes whose parent is `pid`."""
    found = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True)
    return [int(line) for line in found.stdout.split()]


def alive(pids):
    """Which of them still run; one that only waits for its parent to notice does not."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            if "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text():
                found.append(pid)
    return found


def outcome(found):
    """What must not depend on kills."""
    return [(t["id"], t["values"], t["objective"], t["status"]) for t in found["trials"]]


def complaints(folder, engine, executor, expected):
    """What is wrong with a search that was killed."""
    found, wrong = search_of(folder), []
    (run,) = folder.glob("runs/searched/*")
    told = Counter()
    if (journal := run / "search" / "journal.jsonl").exists():
        events = [json.loads(line) for line in journal.read_text().splitlines()[1:]]
        told = Counter(
            f"{key} {event[key]}" for event in events for key in event if key in ("ask", "tell")
        )
    wrong += [f"{event} twice" for event, times in told.items() if times > 1]
    wrong += [
        f"{t['id']} {t['status']}" for t in found["trials"] if t["status"] in ("failed", "running")
    ]
    for trial in found["trials"]:
        lines = (run / trial["folder"] / "metrics.jsonl").read_text().splitlines()
        steps = [json.loads(line)["step"] for line in lines]
        if steps != list(range(20, 20 * len(steps) + 1, 20)):
            wrong.append(f"{trial['id']} has lines of steps {steps}")
    exact = executor["name"] == "inline" or engine in ("random", "grid")
    if expected and exact and outcome(found) != expected:
        wrong.append("another outcome than that of the uninterrupted search")
    if engine == "optuna" and len(found["trials"]) != 5:
        wrong.append(f"{len(found['trials'])} trials instead of 5")
    if json.loads((run / "provenance.json").read_text())["status"] != "finished":
        wrong.append("not finished")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = {"cost": cost, "workers": workers, "stock": stock, "kills": kills, "theirs": stock_tuner}
    parser.add_argument("what", choices=list(what), metavar="cost|workers|stock|kills")
    parser.add_argument("--trials", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--per-round", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder")
    parser.add_argument("--ray", action="store_true", help="also on the Ray cluster that runs here")
    options = parser.parse_args()
    options.trials = options.trials or (60 if options.what == "cost" else 4)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    what[options.what](options)


if __name__ == "__main__":
    main()
