"""The conductor: resolved recipe → search → train → evaluate → report → export."""

import contextlib
import sys
import traceback
from collections.abc import Mapping

from tfkit.errors import Busy, Diverged, Interrupted
from tfkit.experiment.exporting import export_folder, next_command, published
from tfkit.program import program
from tfkit.recipe import Recipe
from tfkit.recipe.durations import seconds as seconds_of
from tfkit.report import write as write_report
from tfkit.search.clock import Clock
from tfkit.search.confirm import PRODUCTS, Confirm, confirm_seeds, hand_over, remove
from tfkit.search.executors.base import Surroundings
from tfkit.search.executors.making import make_executor
from tfkit.search.identity import is_shared
from tfkit.search.trials import Search
from tfkit.search.values import with_values
from tfkit.search.work import objective
from tfkit.train import device, progress
from tfkit.train.build import load_data
from tfkit.train.folder import RunFolder, read_json, write_atomically
from tfkit.train.interruption import in_one_sentence, interruptible
from tfkit.train.replicates import evaluate_replicate, replicate_folder, summarise
from tfkit.train.run import note_start, train


class Conductor:
    """One experiment in one folder. Each part is done once; what is there already is kept.

    Args:
        folder: the run folder.
        recipe: what to do there.
        quiet: say nothing on the way.
        exports: whether to export where the recipe asks for it.
        source: the data, where they are loaded already.
        wider: whether more is asked for than the folder's recipe says.
    """

    def __init__(
        self,
        folder: RunFolder,
        recipe: Recipe,
        quiet: bool,
        *,
        exports: bool = True,
        source=None,
        wider: bool = False,
    ):
        self.folder, self.recipe, self.quiet = folder, recipe, quiet
        self.bar = progress.wanted(quiet)
        self.exports, self.source, self.wider = exports, source, wider
        self.shared = is_shared(recipe.resolved)
        searched = recipe.resolved["search"]
        self.executor = make_executor(searched["executor"]) if searched else None

    def say(self, text: str) -> None:
        """A line of progress."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def run(self) -> dict:
        """All that is still to do; errors and interruptions leave a folder that can be resumed."""
        with interruptible(), in_one_sentence(self.folder):
            try:
                searched = self.join() if self.shared else None
                if searched and not (searched.over and searched.best()):
                    self.say(f"{self.folder}: trials of other processes are still open")
                    return self.result()
                with self.folder.lock():
                    self.conduct_once(searched)
            except Busy:
                if not self.shared:
                    raise
                self.say(f"{self.folder}: the search is over; another process confirms it")
        return self.result()

    def join(self) -> Search:
        """Work on a search that other processes may work on too, until it is over."""
        with self.ends(alone=False):
            self.begin()
            found = self.search()
            with contextlib.closing(found.engine):
                if not found.engine.done:
                    self.searching(found)
            return found

    def conduct_once(self, searched: Search | None) -> None:
        """Everything, unless it is done already."""
        before = self.folder.provenance()
        over = searched is None or searched.ledger.is_confirmed(searched.engine)
        finished = before.get("status") == "finished" and over and not self.wider
        if self.wider:
            self.folder.rewrite_recipe(self.recipe)
        if finished and not self.lacks_export(before):
            self.say(f"{self.folder} is finished already.")
            if not (self.folder / "report.html").exists():  # a kill came just before it
                write_report(self.folder.path)
            return
        with self.ends():
            self.conduct(searched)

    @contextlib.contextmanager
    def ends(self, alone: bool = True):
        """Record how the work ends where it does not end well.

        Args:
            alone: whether the work is this process's alone, so that its end is the run's.
        """
        command = "run" if self.exports else "search"
        try:
            yield
        except KeyboardInterrupt:
            if alone:
                self.end("interrupted", report=False)
            raise Interrupted(
                f"interrupted; go on with: {program()} {command} --resume {self.folder}",
                run=str(self.folder),
            ) from None
        except Diverged as error:
            error.run = str(self.folder)
            self.end("diverged", diverged={"step": error.step, "tensor": error.tensor})
            raise
        except Exception:
            if not alone:
                raise
            with contextlib.suppress(OSError):  # the disk may be what failed
                write_atomically(self.folder / "error.txt", traceback.format_exc())
                self.end("failed")
            raise

    def end(self, status: str, report: bool = True, **entries) -> None:
        """Record how it ended, and write the report of what there is."""
        self.folder.record(status=status, **entries)
        if report:
            write_report(self.folder.path)

    def begin(self) -> None:
        """Data and provenance."""
        device.prepare(self.recipe.resolved["train"])
        self.source = self.source or load_data(self.recipe.resolved)
        if self.shared and self.folder.provenance():
            return  # another process began it
        note_start(self.folder, self.recipe.resolved, self.source)

    def conduct(self, searched: Search | None) -> None:
        """Search, train, evaluate, report, export."""
        if searched is None:
            self.begin()
        best = self.recipe
        if self.recipe.resolved["search"] is not None:
            with contextlib.closing(self.executor):
                best = self.confirmed(searched or self.searching(self.search()))
        for seed in best.resolved["evaluate"]["seeds"]:
            self.replicate(best, seed)
        if len(best.resolved["evaluate"]["seeds"]) > 1:
            summarise(self.folder, best.resolved)
        if self.lacks_export(self.folder.provenance()):
            self.say("export: writing, then proving it in a fresh process")
            if (record := published(self.folder, self.recipe)) is not None:
                self.folder.record(export=record)
            else:
                export_folder(self.folder, self.recipe, best, self.source)
        (self.folder / "error.txt").unlink(missing_ok=True)
        self.end("finished")

    def search(self) -> Search:
        """The search as it stands."""
        settings = self.recipe.resolved["search"]
        trainings = settings["confirm"]["top"] * len(confirm_seeds(self.recipe.resolved))
        clock = Clock(seconds_of(settings["budget"]), trainings, self.executor.workers)
        return Search(self.folder, self.recipe, self.source, self.say, clock)

    def searching(self, search: Search) -> Search:
        """Run the trials that are still to run."""
        self.say(f"search over {', '.join(search.settings['space'])}")
        search.run(self.executor, self.around())
        return search

    def around(self) -> Surroundings:
        """What the executor may use of this process."""
        folder = self.folder.path / "search"
        return Surroundings(folder, self.recipe.resolved, self.source, self.bar)

    def confirmed(self, search: Search) -> Recipe:
        """The winner on fresh seeds, whose replicates become the run's own."""
        while True:
            confirm = Confirm(search, self.say)
            winner = confirm.run(self.executor, self.around())
            later = self.search() if self.shared else search
            later.engine.close()
            if later.ledger.is_confirmed(later.engine):
                break
            search = later  # another process has told of a trial in the meantime
        best = confirm.write_best(winner)
        if self.folder.provenance().get("winner") not in (None, winner):
            self.forget()
        seeds = best.resolved["evaluate"]["seeds"]
        for seed in sorted(set(seeds) & set(confirm.seeds)):
            place = replicate_folder(self.folder, best.resolved, seed)
            trained = confirm.folder(winner, seed)
            if not place.evaluation.exists():
                hand_over(trained, place, whole=len(seeds) > 1)
            if len(seeds) == 1:
                self.folder.record(seeds=trained.provenance()["seeds"])
        self.folder.record(winner=winner)
        return best

    def forget(self) -> None:
        """Let go of an earlier winner's replicates and export; both stay on the disk elsewhere."""
        for name in ("replicates", *PRODUCTS):
            remove(self.folder / name)
        self.folder.record(winner=None, export=None)

    def replicate(self, recipe: Recipe, seed: int) -> None:
        """Train and evaluate one replicate."""
        folder = replicate_folder(self.folder, recipe.resolved, seed)
        if folder.evaluation.exists():
            return self.close(folder)
        own = with_values(recipe, {"evaluate.seeds": [seed], "search": None, "export": None})
        folder.write_recipe(own)
        if folder.path != self.folder.path:
            note_start(folder, own.resolved, self.source)
        with device.configured(own.resolved["train"]):
            assembly = train(folder, own.resolved, seed, source=self.source, bar=self.bar)
            self.say(f"trained seed {seed}; evaluating")
            searched = self.recipe.resolved["search"] or {}
            evaluate_replicate(folder, assembly, objective(searched, folder.path, assembly))
        return self.close(folder)

    def close(self, folder: RunFolder) -> None:
        """Say in a replicate's own folder that it is done."""
        if folder.path != self.folder.path:
            folder.record(status="finished")

    def lacks_export(self, provenance: dict) -> bool:
        """Whether an export is asked for and not there."""
        asked = self.exports and self.recipe.resolved["export"] is not None
        return asked and not provenance.get("export")

    def result(self) -> dict:
        """What `--json` prints."""
        provenance = self.folder.provenance()
        exported = provenance.get("export")
        search = read_json(self.folder / "search" / "search.json")
        found = {
            "run": str(self.folder),
            "status": provenance.get("status"),
            "report": str(written) if (written := self.folder / "report.html").exists() else None,
            "metrics": read_json(self.folder.evaluation, {}).get("metrics", {}),
            "search": search and best_of(search),
            "export": exported and exported["folder"],
        }
        finished = provenance.get("status") == "finished"
        go_on = f"{program()} run --resume {self.folder}"
        return {**found, "next": next_command(self.folder, exported) if finished else go_on}


def best_of(search: Mapping) -> dict:
    """The winner of a search in brief."""
    confirmed = search.get("confirm") or {}
    id = confirmed.get("winner", search["best"])
    trial = next((t for t in search["trials"] if t["id"] == id), {})
    fresh = next((c["fresh"] for c in confirmed.get("candidates", []) if c["id"] == id), None)
    return {
        "best": id,
        search["objective"]: trial.get("objective"),
        "fresh": fresh,
        **trial.get("values", {}),
    }
