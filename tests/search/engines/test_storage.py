"""Storages are opened, or refused in one sentence."""

import concurrent.futures
import importlib.util
import json

import pytest

from tfkit.errors import TfkitError, UsageError
from tfkit.search.engines import storage
from tfkit.search.engines.study import SharedStudy


def refusal(place):
    with pytest.raises(UsageError) as caught:
        storage.open_storage(str(place))
    message = str(caught.value)
    assert message.startswith("search.engine.storage: ") and "\n" not in message
    return message


def test_a_journal_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be written: " in refusal(tmp_path / "file" / "x.journal")
    assert "Is a directory" in refusal(tmp_path)


@pytest.mark.parametrize("text", ["name: x\nseed: 1\n", '{"a": 1}\n', "[1]\n2\n"])
def test_a_file_that_is_no_journal(text, tmp_path):
    (tmp_path / "recipe.yaml").write_text(text)
    assert "recipe.yaml is no journal of Optuna" in refusal(tmp_path / "recipe.yaml")
    assert (tmp_path / "recipe.yaml").read_text() == text


def test_a_database_that_does_not_answer(tmp_path):
    message = refusal(f"sqlite:///{tmp_path}/no/such/folder/x.db")
    assert "cannot be used: unable to open database file." in message


def test_a_driver_that_is_missing_and_a_password_that_stays_secret():
    for driver, package in (("psycopg2", "psycopg2-binary"), ("psycopg", "'psycopg[binary]'")):
        if importlib.util.find_spec(driver) is None:
            message = refusal(f"postgresql+{driver}://me:secret@localhost/db")
            assert message.endswith(f"the Python package {driver}: pip install {package}")
            assert "secret" not in message and "://me:***@localhost/db" in message


def test_a_database_that_nobody_knows():
    assert "redis://host is no database that SQLAlchemy knows" in refusal("redis://host")
    assert "://" in refusal("://")


def test_a_storage_that_goes_away_ends_in_one_sentence(tmp_path):
    with pytest.raises(TfkitError, match="cannot be reached any more: no space left(.|\n)*goes on"):
        with storage.reaching(str(tmp_path / "x.journal")):
            raise OSError(28, "no space left")


def test_a_line_cut_short_by_a_dying_machine_costs_that_line_only(tmp_path):
    path = tmp_path / "x.journal"
    first = SharedStudy(storage.open_storage(str(path)), "s", "min")
    first.claimed({"a": 1})
    whole = path.read_text()
    path.write_text(whole + '{"op_code":2,"wor')
    again = SharedStudy(storage.open_storage(str(path)), "s", "min")
    assert again.claimed({}) == {"a": 1}
    again.storage.set_study_user_attr(again.id, "b", 2)
    lines = path.read_text().splitlines()
    assert all(json.loads(line) for line in lines)
    assert first.storage.get_study_user_attrs(first.id) == {"tfkit": {"a": 1}, "b": 2}


@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_of_several_at_once_one_creates_tables_and_study(kind, tmp_path):
    place = str(tmp_path / "x.journal")
    if kind == "sqlite":
        place = f"sqlite:///{tmp_path}/x.db"

    def join(number):
        study = SharedStudy(storage.open_storage(place), "s", "min")
        return study.is_new, study.claimed({"number": number})

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        found = list(pool.map(join, range(6)))
    assert sum(is_new for is_new, _ in found) == 1
    assert len({known["number"] for _, known in found}) == 1


def test_a_creator_that_died_before_it_said_what_for_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr("tfkit.search.engines.study.IDENTITY_SECONDS", 0.1)
    opened = storage.open_storage(str(tmp_path / "x.journal"))
    assert SharedStudy(opened, "s", "min").is_new
    other = SharedStudy(opened, "s", "min")
    assert not other.is_new and other.claimed({"a": 1}) == {"a": 1}
