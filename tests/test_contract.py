"""Every name of the catalogue keeps its contract; a new name is here by being in the catalogue.

.venv/bin/pytest tests/test_contract.py -k beta_vae
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import contract
from tests.contracts import recipe_files, results, rooms
from tests.contracts.subject import Subject
from tests.data import small_files, small_groups
from tfkit import catalog

pytestmark = pytest.mark.filterwarnings(
    "ignore:TensorFlow is running already",
    "ignore:train.precision",
    "ignore:pkg_resources",
    "ignore:.*the published set has",  # of small trees
)
ROOT = Path(__file__).parents[1]
ENTRIES = catalog.load().entries
RECIPES = sorted((ROOT / "recipes").rglob("*.yaml"))
# data sets that are large by default; a method whose data are small needs no line here
rooms.SMALL |= {"dsprites": {"image_size": 16, "validation_size": 61, "test_size": 61}}
rooms.MEASURED |= {"disentanglement": {"samples": 1000, "votes": 200}}
# options that have no default, and those that fit small files
_FEW = {"image_size": 16, "validation_size": 12, "test_size": 12}
_TASK = {"train_size": 80, "validation_size": 24, "test_size": 24}
REQUIRED = {
    "strip_xor": _TASK,
    "patch_xor": _TASK,
    "strip_bias": _TASK,
    "patch_threshold": _TASK,
    "images": {"path": "images"},
    "labelled_images": {"path": "images"},
    "shapes3d": {"path": "3dshapes.h5", **_FEW},
    "mpi3d": {"path": "mpi3d.npz", "grid": list(small_files.MPI), **_FEW},
    "cars3d": {"path": "cars", "objects": 3, **_FEW},
    "smallnorb": {"path": "norb", **_FEW},
    "waterbirds": {"path": "waterbirds", "image_size": 16},
    "grouped_images": {"path": "grouped_images", "image_size": 16},
    "celeba": {"path": "celeba", "image_size": 16},
    "bar": {"path": "bar", "image_size": 16},
    "nico": {"path": "nico", "image_size": 16},
    "imagenet9": {"path": "imagenet9", "image_size": 16},
    "cmnist": {"path": "mnist.npz"},
    "dominoes": {"mnist": "mnist.npz", "cifar": "cifar-10-batches-bin"},
    "civilcomments": {"path": "civilcomments", "vocabulary": "vocab.txt", "length": 12},
    "multinli": {"path": "multinli", "vocabulary": "vocab.txt", "length": 16},
}


def name(part) -> str:
    """For the ids of tests."""
    if isinstance(part, Path):
        return part.relative_to(ROOT / "recipes").as_posix()
    return getattr(part, "__name__", None) or f"{part.kind}-{part.name}"


@pytest.fixture(scope="module", autouse=True)
def photographs(tmp_path_factory):
    """The user's images and small files of published data, where $TFKIT_DATA points to."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    (folder / "images").mkdir()
    for number in range(60):
        pixels = generator.integers(0, 256, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
    lines = [f"{number}.png,{number % 3},{number % 4}" for number in range(60)]
    (folder / "images" / "factors.csv").write_text("\n".join(["file,shape,size", *lines]))
    small_files.shapes3d(folder / "3dshapes.h5")
    small_files.mpi3d(folder / "mpi3d.npz")
    small_files.cars(folder / "cars")
    small_files.norb(folder / "norb")
    small_groups.everything(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFKIT_DATA", str(folder))
        yield


# what is dear, and rests on what the models of a room share; --all runs it for each of them
DEAR = (
    rooms.agrees_in_half_precision,
    rooms.agrees_with_its_compiled_self,
    results.measures_what_it_says,
)


def marks(entry, one) -> list[pytest.MarkDecorator]:
    """The checks of a model share its trained runs, so one process does them; else those of a kind
    of things. The dear ones are slow but for the first model of a room.
    """
    of = entry.name if entry.kind == "model" else ""
    slow = one in DEAR and not results.is_first(entry.name)
    return [pytest.mark.xdist_group(f"{entry.kind} {of}"), *([pytest.mark.slow] if slow else [])]


@pytest.mark.parametrize(
    ("entry", "one"),
    [pytest.param(e, c, marks=marks(e, c)) for e in ENTRIES for c in contract.checks_of(e)],
    ids=name,
)
def test_keeps_its_contract(entry, one):
    options = {**rooms.SMALL.get(entry.name, {}), **REQUIRED.get(entry.name, {})}
    contract.check(one, Subject(entry, options if entry.kind == "dataset" else {}))


def test_every_kind_has_a_contract():
    assert {entry.kind for entry in ENTRIES} <= set(contract.CHECKS)


def test_every_evaluator_and_server_has_a_model():
    rooms_of_models = {entry.room for entry in ENTRIES if entry.kind == "model"}
    for entry in ENTRIES:
        assert entry.kind not in ("evaluator", "server") or entry.room in rooms_of_models, entry


@pytest.mark.parametrize("one", recipe_files.RECIPE, ids=name)
@pytest.mark.parametrize("path", RECIPES, ids=name)
def test_recipe_keeps_its_contract(path, one):
    one(path)
