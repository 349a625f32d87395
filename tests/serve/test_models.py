"""Which versions answer while folders change: without TensorFlow, by a loader that can fail."""

import threading
from types import SimpleNamespace

import pytest

from tfkit.serve.folders import ModelConfig, Policy
from tfkit.serve.models import Models
from tfkit.serve.status import RequestError

LATEST = Policy()


class Folders:
    """A models' folder whose versions load unless they hold a file `broken`."""

    def __init__(self, home):
        self.home = home
        self.loaded = []

    def add(self, version, name="m", broken=False):
        folder = self.home / name / str(version)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_text("broken" if broken else "good")
        return folder

    def load(self, name, number, folder):
        self.loaded.append((name, number))
        if (folder / "saved_model.pb").read_text() == "broken":
            raise OSError("cannot read it\nbecause")
        return SimpleNamespace(name=name, version=number, folder=folder)

    def models(self, policy=LATEST, labels=None, name="m"):
        config = ModelConfig(name, self.home / name, policy, labels or {})
        return Models(lambda: [config], self.load)


@pytest.fixture
def folders(tmp_path):
    return Folders(tmp_path)


def versions(models, name="m"):
    return [v.number for v in models.status(name) if v.state == "AVAILABLE"]


def refused(code, match):
    return pytest.raises(RequestError, match=match, check=lambda e: e.code == code)


def test_the_latest_version_answers_and_a_newer_one_takes_over(folders):
    folders.add(1), folders.add(2)
    models = folders.models()
    models.poll()
    assert versions(models) == [2] and models.find("m").version == 2
    held = models.find("m")
    folders.add(10)
    models.poll()
    assert versions(models) == [10] and models.find("m").version == 10
    assert held.version == 2  # a request in flight keeps what it found
    assert [(v.number, v.state) for v in models.status("m")] == [(10, "AVAILABLE"), (2, "END")]


def test_the_new_version_is_there_before_the_old_one_goes(folders):
    folders.add(1)
    models = folders.models()
    models.poll()
    seen = []
    real = folders.load
    models._models["m"]._load = lambda *given: (
        seen.append(models.find("m").version),
        real(*given),
    )[1]
    folders.add(2)
    models.poll()
    assert seen == [1] and models.find("m").version == 2


def test_a_version_that_does_not_load_leaves_the_old_one_answering_and_is_tried_again(folders):
    folders.add(1)
    models = folders.models()
    models.poll()
    broken = folders.add(2, broken=True)
    models.poll()
    assert models.find("m").version == 1
    found = {v.number: v for v in models.status("m")}
    assert found[2].state == "END" and found[2].error == "cannot read it"
    tries = len(folders.loaded)
    models.poll()
    assert len(folders.loaded) == tries  # not every second again
    (broken / "saved_model.pb").write_text("good, now")
    models.poll()
    assert models.find("m").version == 2 and versions(models) == [2]


def test_policies_all_specific_and_the_latest_two(folders):
    for number in (1, 2, 3):
        folders.add(number)
    every = folders.models(Policy("all"))
    every.poll()
    assert versions(every) == [3, 2, 1]
    some = folders.models(Policy("specific", versions=(1, 3, 9)))
    some.poll()
    assert versions(some) == [3, 1]
    two = folders.models(Policy("latest", count=2))
    two.poll()
    assert versions(two) == [3, 2]
    folders.add(4)
    two.poll()
    assert versions(two) == [4, 3]


def test_rolling_back_by_removing_the_newest(folders):
    folders.add(1)
    newest = folders.add(2)
    models = folders.models()
    models.poll()
    (newest / "saved_model.pb").unlink(), newest.rmdir()
    models.poll()
    assert models.find("m").version == 1


def test_a_folder_that_vanishes_does_not_stop_its_model(folders):
    folder = folders.add(1)
    models = folders.models()
    models.poll()
    folder.parent.rename(folders.home / "away")
    models.poll()
    assert models.find("m").version == 1


def test_labels_and_versions_find_theirs_and_errors_speak_like_tf_serving(folders):
    folders.add(1), folders.add(2)
    models = folders.models(Policy("all"), {"stable": 1})
    models.poll()
    assert models.find("m", label="stable").version == 1
    assert models.find("m", version=2).version == 2
    with refused("NOT_FOUND", r"Servable not found for request: Latest\(n\)"):
        models.find("n")
    with refused("NOT_FOUND", r"Servable not found for request: Specific\(m, 7\)"):
        models.find("m", 7)
    with refused("INVALID_ARGUMENT", "Unrecognized servable version label: canary"):
        models.find("m", label="canary")
    with refused("INVALID_ARGUMENT", "cannot be supplied"):
        models.find("m", 1, "stable")
    with refused("NOT_FOUND", "Could not find version 7 of model m"):
        models.status("m", 7)
    assert [v.number for v in models.status("m", label="stable")] == [1]


def test_reload_brings_and_removes_models_and_refuses_labels_of_absent_versions(folders):
    folders.add(1), folders.add(1, "n"), folders.add(2, "n", broken=True)
    models = folders.models()
    models.poll()
    new = ModelConfig("n", folders.home / "n", labels={"old": 1}, policy=Policy("all"))
    models.reload([new])
    assert models.find("n", label="old").version == 1
    with refused("NOT_FOUND", "m"):
        models.find("m")
    with refused("FAILED_PRECONDITION", "not currently available"):
        models.reload([ModelConfig("n", folders.home / "n", labels={"new": 2})])
    assert models.find("n", label="old").version == 1  # nothing changed
    with refused("UNKNOWN", "n version 2: cannot read it|o: no version"):
        models.reload([new, ModelConfig("o", folders.home / "o")])


def test_a_model_that_moves_answers_all_the_while(folders):
    folders.add(1), folders.add(5, "elsewhere")
    models = folders.models()
    models.poll()
    seen = []
    real = folders.load
    models._load = lambda *given: (seen.append(models.find("m").version), real(*given))[1]
    models.reload([ModelConfig("m", folders.home / "elsewhere")])
    assert seen == [1] and models.find("m").version == 5


def test_polling_goes_on_after_an_error_and_ends_with_stop(folders):
    folders.add(1)
    models = folders.models()
    calls, went_on = [], threading.Event()

    def configure():
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the disk is away")
        if len(calls) > 2:
            went_on.set()
        return [ModelConfig("m", folders.home / "m")]

    models._configure = configure
    models.start(0.01)
    assert went_on.wait(10)
    models.stop()
    count = len(calls)
    assert models.unready() == ["m"] and not threading.Event().wait(0.1) and len(calls) == count


def test_what_is_not_ready_is_named_with_its_reason(folders):
    folders.add(3, broken=True)
    models = folders.models()
    models.poll()
    assert models.unready() == ["m"] and models.why(["m"]) == "m version 3: cannot read it"


def test_a_label_of_a_version_that_is_not_there_is_warned_of(folders, caplog):
    folders.add(1)
    models = folders.models(labels={"stable": 1, "canary": 2})
    models.start(0)
    assert [r.getMessage() for r in caplog.records if r.levelname == "WARNING"] == [
        "m: label canary names version 2, which does not answer"
    ]


def test_a_version_that_is_completed_while_it_fails_is_tried_again(folders):
    folders.add(1)
    models = folders.models()
    models.poll()
    half = folders.add(2, broken=True)
    real = folders.load

    def load(name, number, folder):
        if number == 2 and ("m", 2) not in folders.loaded:
            try:
                return real(name, number, folder)
            finally:  # the copy ends at this very moment
                (half / "saved_model.pb").write_text("good, at last")
        return real(name, number, folder)

    models._models["m"]._load = load
    models.poll()
    assert models.find("m").version == 1
    models.poll()
    assert models.find("m").version == 2


def test_the_past_is_not_remembered_for_ever(folders):
    models = folders.models()
    for number in range(1, 40):
        folder = folders.add(number)
        models.poll()
        (folder / "saved_model.pb").unlink(), folder.rmdir()
    assert len(models.status("m")) <= 22 and models.status("m")[0].state == "AVAILABLE"


def test_who_is_told_of_versions_that_go(folders):
    gone = []
    folders.add(1)
    models = folders.models()
    models._dropped = lambda servable: gone.append(servable.version)
    models.poll()
    folders.add(2)
    models.poll()
    models.stop()
    assert gone == [1, 2]


def test_an_interrupted_start_loads_no_further_model(folders):
    for name in "abc":
        folders.add(1, name)
    models = Models(
        lambda: [ModelConfig(name, folders.home / name) for name in "abc"],
        lambda *given: (models.interrupt(), folders.load(*given))[1],
    )
    models.start(0.01)
    assert folders.loaded == [("a", 1)] and models.interrupted


def test_a_model_that_moves_to_a_folder_that_does_not_load_stays_where_it_is(folders):
    folders.add(1), folders.add(5, "elsewhere", broken=True)
    models = folders.models()
    models.poll()
    with refused("UNKNOWN", "did not become available"):
        models.reload([ModelConfig("m", folders.home / "elsewhere")])
    assert models.find("m").version == 1


def test_an_interrupted_start_loads_no_further_version(folders):
    for number in (1, 2, 3):
        folders.add(number)
    config = ModelConfig("m", folders.home / "m", Policy("all"))
    load = lambda *given: (models.interrupt(), folders.load(*given))[1]  # noqa: E731
    models = Models(lambda: [config], load)
    models.start(0)
    assert folders.loaded == [("m", 1)]
    with refused("UNAVAILABLE", "stopping"):
        models.reload([config])
