import numpy as np
import pytest
from PIL import Image

from tfkit.data import GroundTruth, labelled_images
from tfkit.errors import DataMissing

LINES = [f"{k}.png,{('cup', 'ball')[k % 2]},{(10, 9, 2.5)[k // 2 % 3]}" for k in range(12)]
HEADER = "file,shape,size"


@pytest.fixture
def folder(tmp_path):
    """Twelve grey pictures whose brightness is ten times their number."""
    for number in range(12):
        Image.new("L", (8, 8), number * 10).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture
def source(folder):
    """Reads a table of these lines."""

    def read(lines, header=HEADER, **options):
        (folder / "factors.csv").write_text("\n".join([header, *lines]) + "\n")
        return labelled_images.load(str(folder), image_size=8, channels=1, **options)

    return read


def numbers(images):
    return np.rint(np.asarray(images)[:, 0, 0, 0] * 25.5).astype(int)


def test_classes_are_the_values_in_order(source):
    data = source(LINES[::-1])
    assert data.values == {"shape": ["ball", "cup"], "size": [2.5, 9, 10]}
    assert data.factor_names == ("shape", "size") and data.factor_sizes == (2, 3)
    seen = {}
    for part in (
        data.train(10, seed=0).take(1),
        data.held_out("valid", 5),
        data.held_out("test", 5),
    ):
        for batch in part:
            seen |= dict(zip(numbers(batch["images"]), batch["factors"].numpy(), strict=True))
    assert len(seen) == 12
    for number, (shape, size) in seen.items():
        assert (shape, size) == (1 - number % 2, 2 - number // 2 % 3)


def test_a_whole_grid_is_observed_by_drawing_among_images(source):
    data = source(LINES)
    assert isinstance(data, GroundTruth) and not data.deterministic and not data.why_no_grid
    images = data.observe(np.tile([[1, 2]], (40, 1)), np.random.RandomState(0))
    assert images.dtype == np.float32 and images.shape == (40, 8, 8, 1)
    assert set(numbers(images)) == {0, 6}
    assert data.sample_factors(5, np.random.RandomState(0)).shape == (5, 2)
    one = source([line for line in LINES], factors=["size"])
    assert one.factor_sizes == (3,) and one.factor_names == ("size",)


def test_one_image_a_combination_is_deterministic(source, folder):
    for number in range(6, 12):
        (folder / f"{number}.png").unlink()
    data = source(LINES[:6], validation=0.2, test=0.2)
    assert data.deterministic
    images = data.observe(np.array([[0, 0], [1, 1]]), None)
    assert numbers(images).tolist() == [5, 2]


def test_why_there_is_no_grid(source):
    data = source([LINES[k].replace("cup,9", "cup,10") for k in range(12)])
    assert data.factor_sizes is None
    assert "1 of 6 combinations have no image, such as shape cup, size 9" in data.why_no_grid
    for call in (data.sample_factors, data.observe):
        with pytest.raises(ValueError, match="such as shape cup, size 9; metrics that ask"):
            call(np.zeros((1, 2), int), np.random.RandomState(0))
    many = source([f"{line},{k}" for k, line in enumerate(LINES)], header="file,shape,size,id")
    assert many.factor_sizes is None and many.deterministic
    assert "12 images are not all 72 combinations" in many.why_no_grid


def test_blank_lines_and_blanks_are_nothing(source):
    data = source([*LINES[:5], "", *(line.replace(",", " , ") for line in LINES[5:]), ""])
    assert data.factor_sizes == (2, 3)


def test_columns_may_be_chosen_and_the_table_be_elsewhere(source, folder):
    source(["7.png,1,a", *(f"{k}.png,0,b" for k in range(12) if k != 7)], header="name,x,y",
           file_column="name", factors=["y"])  # fmt: skip
    (folder / "factors.csv").rename(folder / "t.csv")
    data = labelled_images.load(
        str(folder), "t.csv", "name", image_size=8, channels=1, validation=0.2
    )
    assert data.values == {"x": [0, 1], "y": ["a", "b"]}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([*LINES, "13.png,cup,9"], r"factors.csv:14: no image 13.png in"),
        ([*LINES, "", "4.png,cup,9"], r"factors.csv:15: 4.png is there already, in line 6"),
        (LINES[2:], r"factors.csv: no line for 0.png, 1.png; expected a CSV"),
        ([*LINES[:3], "3.png,,9", *LINES[4:]], r"factors.csv:5: shape is empty"),
        ([*LINES[:3], "3.png,cup", *LINES[4:]], r"factors.csv:5: size is empty"),
        ([*LINES[:3], ",cup,9", *LINES[4:]], r"factors.csv:5: file is empty"),
        ([*LINES[:3], "3.png,cup,9,8,7", *LINES[4:]], r"factors.csv: .*line 5"),
    ],
)
def test_bad_lines_are_named(source, lines, message):
    with pytest.raises(DataMissing, match=message) as error:
        source(lines)
    assert error.value.exit_code == 3


def test_bad_columns_and_files(source, folder):
    with pytest.raises(ValueError, match="no column hue; there are file, shape, size"):
        source(LINES, factors=["shape", "hue"])
    with pytest.raises(ValueError, match="no column name"):
        source(LINES, file_column="name")
    with pytest.raises(ValueError, match="factors must be different columns beside file"):
        source(LINES, factors=["shape", "shape"])
    (folder / "factors.csv").unlink()
    with pytest.raises(DataMissing, match="factors.csv: .*expected a CSV file with a line"):
        labelled_images.load(str(folder))
    for picture in folder.glob("*.png"):
        picture.unlink()
    with pytest.raises(DataMissing, match="labelled_images: no image in"):
        labelled_images.load(str(folder))
