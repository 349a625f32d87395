"""The readers of data sets with groups, on small trees of their official layouts."""

import gzip
import warnings

import numpy as np
import pytest
import tensorflow as tf

from tests.data import small_groups
from tfkit.data import (
    bar,
    celeba,
    civilcomments,
    cmnist,
    dominoes,
    grouped_images,
    imagenet9,
    multinli,
    nico,
    waterbirds,
)
from tfkit.data.source import reading_from
from tfkit.data.wordpiece import WordPiece
from tfkit.errors import DataMissing

pytestmark = pytest.mark.filterwarnings("ignore:.*the published set has")
SIZE = 16
PARTS = ("train", "valid", "test")


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trees")
    small_groups.everything(folder)
    return folder


def refused(load, message, where="from http"):
    """It ends in exit code 3 with a message that says what is wrong and what is expected."""
    with pytest.raises(DataMissing, match=message) as error:
        load()
    assert error.value.exit_code == 3
    assert "expected" in str(error.value) and where in str(error.value)


def examples(source, part):
    """Every example of a part, in order."""
    batches = list(source.in_order(part, 7))
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def shows(source, part, numbers):
    """Whether the pictures of a part are those of these numbers, up to JPEG's loss."""
    inputs = examples(source, part)["inputs"]
    assert inputs.shape == (len(numbers), SIZE, SIZE, 3) and inputs.dtype == np.float32
    wanted = np.array([small_groups.colour(number) for number in numbers]) / 255
    np.testing.assert_allclose(inputs.mean(axis=(1, 2)), wanted, atol=0.04)


@pytest.mark.parametrize("in_memory", [True, False])
def test_waterbirds(trees, in_memory):
    lines = small_groups.waterbirds(trees / "waterbirds")
    source = waterbirds.load(str(trees / "waterbirds"), SIZE, in_memory)
    assert source.shapes == {
        "input_shape": (SIZE, SIZE, 3),
        "classes": 2,
        "num_train": 24,
        "num_groups": 4,
        "group_counts": [12, 4, 3, 5],
    }
    np.testing.assert_array_equal(source.group_counts, [12, 4, 3, 5])
    assert source.group_names[1] == "landbird, water"
    for split, part in enumerate(PARTS):
        wanted = [line for line in lines if line[3] == split]
        shows(source, part, [line[0] for line in wanted])
        found = examples(source, part)
        np.testing.assert_array_equal(found["labels"], [line[2] for line in wanted])
        np.testing.assert_array_equal(found["groups"], [2 * ln[2] + ln[4] for ln in wanted])


def test_files_and_memory_give_the_same_batches(trees):
    one, other = (waterbirds.load(str(trees / "waterbirds"), SIZE, held) for held in (True, False))
    for a, b in zip(one.train(5, seed=3).take(6), other.train(5, seed=3).take(6), strict=True):
        assert a.keys() == b.keys() and a["inputs"].shape == b["inputs"].shape
        for name in a:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    assert one.fingerprint()["sha256"] != other.fingerprint()["sha256"]
    small_groups.picture(trees / "waterbirds" / "000.Bird/Bird_0000.jpg", 99, (40, 40))
    again = waterbirds.load(str(trees / "waterbirds"), SIZE, False)
    assert again.fingerprint() != other.fingerprint()
    small_groups.waterbirds(trees / "waterbirds")


def test_a_picture_that_breaks_is_named(tmp_path):
    small_groups.waterbirds(tmp_path)
    (tmp_path / "003.Bird" / "Bird_0003.jpg").write_bytes(b"\xff\xd8\xff no picture")
    with pytest.raises(DataMissing, match=r"waterbirds: 1 of 24 files .*\n.*Bird_0003.jpg: "):
        waterbirds.load(str(tmp_path), SIZE, True)
    source = waterbirds.load(str(tmp_path), SIZE, False)  # decoded when it is drawn
    with pytest.raises(tf.errors.OpError, match=r"waterbirds: 003.Bird/Bird_0003.jpg: .*repair"):
        list(source.in_order("train", 24))
    with pytest.raises(DataMissing, match=r"^waterbirds: 003.Bird/Bird_0003.jpg: .*repair"):
        with reading_from(source):
            list(source.in_order("train", 24))
    (tmp_path / "005.Bird" / "Bird_0005.jpg").unlink()
    (tmp_path / "006.Bird" / "Bird_0006.jpg").write_bytes(b"")
    refused(
        lambda: waterbirds.load(str(tmp_path), SIZE),
        r"2 of 42 pictures are not in .*, or empty: 005.Bird/Bird_0005.jpg, 006.Bird",
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "img_filename,y,split\na.jpg,0,0",
            "has no column place; there are img_filename, y, split",
        ),
        ("img_filename,y,split,place\na.jpg,2,0,0", r"metadata.csv:2: y is '2'"),
        ("img_filename,y,split,place\na.jpg,1,0,0\nb.jpg,1,5,1", r"metadata.csv:3: split is '5'"),
        ("img_filename,y,split,place\n,1,0,0", r"metadata.csv:2: img_filename is ''"),
        ("img_filename,y,split,place\na.jpg,1,0,x", r"metadata.csv:2: place is 'x'"),
        ("", "No columns"),
        (b"\xff\xfe\x00", "metadata.csv: "),
        (None, "metadata.csv: .*No such file"),
    ],
)
def test_tables_of_another_layout(tmp_path, lines, message):
    if lines is not None:
        content = lines if isinstance(lines, bytes) else lines.encode()
        (tmp_path / "metadata.csv").write_bytes(content)
    refused(lambda: waterbirds.load(str(tmp_path), SIZE), message)


def test_other_counts_than_the_published_are_said(trees):
    with pytest.warns(UserWarning, match=r"\[12, 4, 3, 5\], the published set has \[3498, 184,"):
        waterbirds.load(str(trees / "waterbirds"), SIZE)
    for load in (
        lambda: celeba.load(str(trees / "celeba"), image_size=SIZE),
        lambda: bar.load(str(trees / "bar"), SIZE),
        lambda: civilcomments.load(str(trees / "civilcomments"), str(trees / "vocab.txt")),
        lambda: multinli.load(str(trees / "multinli"), str(trees / "vocab.txt")),
    ):
        with pytest.warns(UserWarning, match="the published set has"):
            load()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        celeba.load(str(trees / "celeba"), "Bald", image_size=SIZE)  # counts are of hair and sex


def test_grouped_images(trees):
    source = grouped_images.load(str(trees / "grouped_images"), image_size=SIZE)
    shows(source, "valid", range(2, 48, 4))
    shows(source, "test", range(3, 48, 4))
    assert source.group_names == tuple(f"y={y}, a={a}" for y in range(3) for a in ("grass", "snow"))
    found = examples(source, "test")  # 3, 7, …: odd, so on grass
    np.testing.assert_array_equal(found["groups"], [2 * (n % 3) for n in range(3, 48, 4)])
    refused(
        lambda: grouped_images.load(str(trees / "grouped_images"), label_column="z"),
        "has no column z",
    )


@pytest.mark.parametrize(("text", "twice"), [(True, False), (False, True)])
def test_celeba(tmp_path, text, twice):
    values, parts = small_groups.celeba(tmp_path, text=text, twice=twice)
    source = celeba.load(str(tmp_path), image_size=SIZE)
    for number, part in enumerate(PARTS):
        rows = [row for row, where in enumerate(parts) if where == number]
        shows(source, part, rows)
        wanted = [2 * (values[row][1] > 0) + (values[row][2] > 0) for row in rows]
        np.testing.assert_array_equal(examples(source, part)["groups"], wanted)
    assert source.group_names[3] == "Blond_Hair, Male"
    other = celeba.load(str(tmp_path), "Male", "Bald", image_size=SIZE)
    np.testing.assert_array_equal(
        examples(other, "train")["labels"],
        [v[2] > 0 for v, p in zip(values, parts, strict=True) if p == 0],
    )
    with pytest.raises(ValueError, match="target must be one of Bald, Blond_Hair, Male, got 'x'"):
        celeba.load(str(tmp_path), "x", image_size=SIZE)


def test_celeba_of_another_layout(tmp_path):
    small_groups.celeba(tmp_path)
    load = lambda: celeba.load(str(tmp_path), image_size=SIZE)  # noqa: E731
    table = tmp_path / "list_attr_celeba.txt"
    whole = table.read_text()
    table.write_text(whole.replace("000003.jpg  -1 -1", "000003.jpg  -1 0"))
    refused(load, "column Blond_Hair .* has the value '0'")
    table.write_text(whole.replace("000003.jpg", "x.jpg"))
    refused(load, "name different pictures")
    table.unlink()
    refused(load, "list_attr_celeba.csv: .*No such file")


def test_bar(trees):
    source = bar.load(str(trees / "bar"), SIZE, validation=0.2)
    assert source.shapes["classes"] == source.shapes["num_groups"] == 6
    assert source.shapes["num_train"] == 24 and len(source.labels("valid")) == 6
    found = examples(source, "test")
    np.testing.assert_array_equal(found["labels"], np.repeat(range(6), 2))
    np.testing.assert_array_equal(found["groups"], found["labels"])
    assert source.group_names[5] == "vaulting"
    small_groups.picture(trees / "bar" / "train" / "sleeping_1.jpg", 1)
    refused(lambda: bar.load(str(trees / "bar"), SIZE), "sleeping_1.jpg is named after no class")
    (trees / "bar" / "train" / "sleeping_1.jpg").unlink()


def test_nico(trees):
    source = nico.load(str(trees / "nico"), unseen=1, image_size=SIZE)
    assert source.shapes["classes"] == 2
    names = [source.group_names[group] for group in examples(source, "test")["groups"]]
    assert names == ["bear, in cage"] * 2 + ["dog, in cage"]
    trained = source.group_ids("train")
    assert {source.group_names[g] for g in trained}.isdisjoint(names)
    assert source.group_counts.sum() == 33 and len(source.labels("valid")) == 4
    for part in PARTS:
        owners = [source.group_names[group].split(",")[0] for group in source.group_ids(part)]
        assert owners == [["bear", "dog"][label] for label in source.labels(part)]


def test_contexts_that_are_asked_for_and_their_tail(trees):
    path = str(trees / "nico")
    wanted = {"bear": ["on grass"], "dog": ["in cage", "at home"]}
    source = nico.load(path, wanted, image_size=SIZE)
    assert set(examples(source, "test")["groups"]) == {
        source.group_names.index(f"{name}, {context}")
        for name, contexts in wanted.items()
        for context in contexts
    }
    source = nico.load(path, unseen=1, tail=9.0, image_size=SIZE, validation=0.01)
    left = dict(zip(source.group_names, source.group_counts, strict=True))
    held = np.bincount(source.group_ids("valid"), minlength=len(left))
    kept = {name: n + held[k] for k, (name, n) in enumerate(left.items())}
    assert [kept[f"bear, {c}"] for c in ("on grass", "in water", "at home")] == [9, 3, 1]
    with pytest.raises(ValueError, match="test_contexts of dog must be among .*got at sea"):
        nico.load(path, {"bear": ["on grass"], "dog": ["at sea"]}, image_size=SIZE)
    with pytest.raises(ValueError, match="must name the classes bear, dog, got bear"):
        nico.load(path, {"bear": []}, image_size=SIZE)
    refused(lambda: nico.load(path, unseen=4, image_size=SIZE), "bear has no context to train on")
    refused(lambda: nico.load(str(trees / "bar"), image_size=SIZE), "is in no context of a class")


def test_imagenet9(trees):
    path = str(trees / "imagenet9")
    source = imagenet9.load(path, image_size=SIZE)
    assert source.shapes["classes"] == 9 and source.shapes["num_train"] == 22
    np.testing.assert_array_equal(source.labels("test"), np.repeat([2, 0, 0, 1], 3))
    few = imagenet9.load(path, only=["n02123045", "n02085620"], image_size=SIZE)
    assert set(few.labels("train")) == {0, 1} and few.shapes["num_train"] == 11
    folders = ("in9l/train", "in9l/val", "bg/mixed_rand/val")
    source = imagenet9.load(path, *folders, image_size=SIZE)
    assert source.group_names == ("dog", "bird", "wheeled vehicle")
    np.testing.assert_array_equal(source.labels("valid"), np.repeat([0, 1, 2], 2))
    refused(
        lambda: imagenet9.load(path, "train", None, "bg/mixed_rand/val", image_size=SIZE),
        "folders of classes in .* are 00_dog",
    )
    refused(lambda: imagenet9.load(path, "none", image_size=SIZE), "no folder .*none")


@pytest.mark.parametrize(("idx", "packed"), [(False, False), (True, False), (True, True)])
def test_cmnist(tmp_path, idx, packed):
    arrays = small_groups.mnist(tmp_path / "mnist.npz", idx=idx, packed=packed)
    plain = cmnist.load(str(tmp_path / "mnist.npz"), correlation=1.0, label_noise=0.0)
    ranges = {"train": slice(60), "valid": slice(60, 80), "test": slice(80, None)}
    for part, rows in ranges.items():
        found = examples(plain, part)
        label = (arrays["y_train"][rows] >= 5).astype(int)
        np.testing.assert_array_equal(found["labels"], label)
        np.testing.assert_array_equal(found["groups"], 3 * label)  # the colour is the label
        wanted = np.zeros((len(label), 28, 28, 3), np.float32)
        for row, image in enumerate(arrays["x_train"][rows]):
            wanted[row, :, :, 1 - label[row]] = image / np.float32(255)  # red is channel 0
        np.testing.assert_array_equal(found["inputs"], wanted)


def test_noise_and_colours_of_cmnist(tmp_path):
    arrays = small_groups.mnist(tmp_path / "m.npz", count=(6000, 10))
    source = cmnist.load(str(tmp_path / "m.npz"), test_correlation=0.1)
    digits = {"train": arrays["y_train"][:3000], "test": arrays["y_train"][4000:]}
    for part, chance in (("train", 0.8), ("test", 0.1)):
        found = examples(source, part)
        assert abs(np.mean((digits[part] >= 5) == found["labels"]) - 0.75) < 0.04
        assert abs(np.mean(found["groups"] % 2 == found["labels"]) - chance) < 0.04


def test_mnist_of_another_layout(tmp_path):
    load = lambda: cmnist.load(str(tmp_path / "mnist"))  # noqa: E731
    refused(load, "no folder .*mnist")
    arrays = small_groups.mnist(tmp_path / "mnist", idx=True)
    file = tmp_path / "mnist" / "train-images-idx3-ubyte"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    refused(load, f"{len(whole) - 1} bytes, not the {len(whole)} that it names")
    file.write_bytes(b"\x00\x00\x08\x01" + whole[4:])
    refused(load, "begins with 0x00000801, which is not 0x00000803")
    file.write_bytes(whole[:7])
    refused(load, "7 bytes, too few")
    file.unlink()
    refused(load, "No such file")
    file.with_name(file.name + ".gz").write_bytes(gzip.compress(whole)[:-20])
    refused(load, "idx3-ubyte.gz: ")
    path = tmp_path / "m.npz"
    for changed, message in (
        ({"x_train": arrays["x_train"][:5]}, "do not go together"),
        ({"y_train": arrays["y_train"] + 3}, "a label is 12, no digit"),
    ):
        np.savez(path, **{**arrays, **changed})
        refused(lambda: cmnist.load(str(path)), message)


def test_dominoes(trees):
    digits = small_groups.mnist(trees / "mnist.npz")
    batches = small_groups.cifar(trees / "cifar-10-batches-bin")
    paths = str(trees / "mnist.npz"), str(trees / "cifar-10-batches-bin")
    source = dominoes.load(*paths, correlation=0.7, validation=0.25)
    assert source.shapes["input_shape"] == (64, 32, 3) and source.shapes["num_train"] == 30
    whole = {part: examples(source, part) for part in PARTS}
    pictures, labels = (
        np.concatenate([whole[part][key] for part in ("train", "valid")])
        for key in ("inputs", "labels")
    )
    below = {
        image.astype("float32").tobytes(): label
        for classes, images in batches[:5]
        for label, image in zip(classes, images / np.float32(255), strict=True)
    }
    seen = [below.pop(image.tobytes()) for image in pictures[:, 32:]]  # each once
    np.testing.assert_array_equal([{1: 0, 9: 1}[number] for number in seen], labels)
    known = {x.tobytes(): y for x, y in zip(digits["x_train"], digits["y_train"], strict=True)}
    for part in ("train", "valid"):
        above = whole[part]["inputs"][:, 2:30, 2:30]
        assert np.all(above == above[..., :1])
        found = [known[np.rint(255 * x[..., 0]).astype("u1").tobytes()] for x in above]
        np.testing.assert_array_equal(found, whole[part]["groups"] % 2)
        np.testing.assert_array_equal(whole[part]["groups"] // 2, whole[part]["labels"])
    assert source.spurious_region[:32].all() and not source.spurious_region[32:].any()


def test_cifar_of_another_layout(trees, tmp_path):
    load = lambda: dominoes.load(str(trees / "mnist.npz"), str(tmp_path))  # noqa: E731
    refused(load, "data_batch_1.bin: .*No such file")
    small_groups.cifar(tmp_path)
    (tmp_path / "test_batch.bin").write_bytes(bytes(3073) * 4)
    refused(load, "lacks pictures of automobile or truck")
    (tmp_path / "data_batch_3.bin").write_bytes(bytes(3072))
    refused(load, "data_batch_3.bin: 3072 bytes, not records of 3073")


def test_civilcomments(trees):
    lines = small_groups.civilcomments(trees / "civilcomments")
    path, words = str(trees / "civilcomments"), str(trees / "vocab.txt")
    source = civilcomments.load(path, words, length=12)
    assert source.shapes == {
        "input_shape": (12,),
        "classes": 2,
        "num_train": 30,
        "num_groups": 4,
        "group_counts": np.bincount(source.group_ids("train"), minlength=4).tolist(),
        "vocabulary_size": len(small_groups.WORDS),
    }
    tokenizer = WordPiece(small_groups.WORDS)
    for word, part in zip(("train", "val", "test"), PARTS, strict=True):
        chosen = [line for line in lines if line[2] == word]
        found = examples(source, part)
        texts = tokenizer.encode([line[1] for line in chosen], length=12)
        np.testing.assert_array_equal(found["inputs"], texts)
        toxic = np.array([line[3] >= 0.5 for line in chosen])
        np.testing.assert_array_equal(found["labels"], toxic)
        mentioned = np.array([line[4:12] for line in chosen]) >= 0.5  # [N, 8]
        if part == "train":
            np.testing.assert_array_equal(found["groups"], 2 * toxic + mentioned.any(axis=1))
            continue
        for k, identity in enumerate(small_groups.IDENTITIES):
            for label, said in enumerate(("civil", "toxic")):
                group = source.group_names.index(f"{identity}, {said}")
                wanted = mentioned[:, k] & (toxic == label)
                np.testing.assert_array_equal(found["groups"][:, group], wanted)
    assert len(source.group_names) == 16 and source.group_counts.sum() > 16
    apart = civilcomments.load(path, words, groups="disjoint")
    assert examples(apart, "test")["groups"].ndim == 1 and len(apart.group_names) == 4
    ids = np.arange(60 * 5).reshape(60, 5)
    np.save(trees / "ids.npy", ids)
    given = civilcomments.load(path, features=str(trees / "ids.npy"))
    np.testing.assert_array_equal(examples(given, "test")["inputs"], ids[3::4])


def test_civilcomments_of_another_layout(tmp_path, trees):
    words = str(trees / "vocab.txt")
    load = lambda: civilcomments.load(str(tmp_path), words)  # noqa: E731
    refused(load, "all_data_with_identities.csv: .*No such file")
    small_groups.civilcomments(tmp_path)
    refused(lambda: civilcomments.load(str(tmp_path), str(tmp_path / "no.txt")), "no file")
    file = tmp_path / "all_data_with_identities.csv"
    whole = file.read_text()
    file.write_text(whole.replace("LGBTQ", "lgbtq"))
    refused(load, "has no column LGBTQ")
    file.write_text(whole.replace(",val,", ",middle,"))
    refused(load, "csv:4: split is 'middle'")


def test_multinli(trees):
    pairs, lines = small_groups.multinli(trees / "multinli")
    path, words = str(trees / "multinli"), str(trees / "vocab.txt")
    source = multinli.load(path, words, length=20)
    tokenizer = WordPiece(small_groups.WORDS)
    for number, part in enumerate(PARTS):
        chosen = [line for line in lines if line[3] == number]
        found = examples(source, part)
        sentences = [[pairs[line[0]][f"sentence{k}"] for line in chosen] for k in (1, 2)]
        np.testing.assert_array_equal(found["inputs"], tokenizer.encode(*sentences, 20))
        np.testing.assert_array_equal(found["groups"], [2 * line[1] + line[2] for line in chosen])
    assert source.group_names[1] == "contradiction, negation"
    np.savez(trees / "ids.npz", input_ids=np.ones((len(lines), 7), int))
    given = multinli.load(path, features=str(trees / "ids.npz"))
    assert given.shapes["input_shape"] == (7,) and given.shapes["vocabulary_size"] == 2


def test_multinli_of_another_layout(tmp_path, trees):
    words = str(trees / "vocab.txt")
    load = lambda: multinli.load(str(tmp_path), words)  # noqa: E731
    refused(load, "metadata_random.csv: .*No such file")
    refused(lambda: multinli.load(str(tmp_path), words, split="preset"), "metadata_preset.csv")
    small_groups.multinli(tmp_path)
    file = tmp_path / "data" / "multinli_1.0_train.jsonl"
    whole = file.read_text().splitlines()
    file.write_text("\n".join(whole[1:]))  # all pairs are numbered one too low
    refused(load, "pair 0 of the table is not a pair of that label")
    file.write_text("no json")
    refused(load, "multinli_1.0_train.jsonl: ")
    file.unlink()
    refused(load, "No such file")


@pytest.mark.parametrize(
    "load",
    [waterbirds.load, grouped_images.load, celeba.load, bar.load, nico.load, imagenet9.load],
)
def test_folders_that_are_not_there(tmp_path, load):
    refused(lambda: load(str(tmp_path / "none")), "no folder .*none.*TFKIT_DATA")
    with pytest.raises(ValueError, match="image_size must be >= 8, got 4"):
        load(str(tmp_path), image_size=4)


def test_a_part_without_pictures(tmp_path):
    small_groups.waterbirds(tmp_path, counts=((3, 1, 1, 1), (0, 0, 0, 0), (1, 1, 1, 1)))
    refused(lambda: waterbirds.load(str(tmp_path), SIZE), "has no picture for valid")
    (tmp_path / "empty" / "train").mkdir(parents=True)
    refused(
        lambda: bar.load(str(tmp_path / "empty"), SIZE), "has no picture for train, valid, test"
    )
