"""Small trees of files of the data sets with groups, in their official layouts, for tests."""

import csv
import gzip
import json
import struct

import numpy as np
from PIL import Image

WNIDS = ("n02085620", "n02099601", "n02123045", "n01641577", "n04589890")  # the last: none of nine
WORDS = "[PAD] [unused0] [UNK] [CLS] [SEP] the bird is no ##t on un ##aff ##able a ! , you".split()
IDENTITIES = "male female LGBTQ christian muslim other_religions black white".split()


def colour(number):
    """A colour that tells a picture's number, also after JPEG."""
    return (number * 4 % 256, 250 - number * 3 % 250, number % 2 * 200)


def picture(file, number, size=(20, 16)):
    """A picture of one colour."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour(number)).save(file, quality=95)


def table(file, header, lines):
    """A CSV file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *lines])


def waterbirds(folder, counts=((12, 4, 3, 5), (2, 2, 2, 2), (3, 3, 2, 2))):
    """Parts by part and group (landbird on land, on water, waterbird on land, on water)."""
    lines = []
    for split, sizes in enumerate(counts):
        for group, size in enumerate(sizes):
            for _ in range(size):
                number, y, place = len(lines), *divmod(group, 2)
                name = f"{number:03}.Bird/Bird_{number:04}.jpg"
                picture(folder / name, number)
                lines.append((number, name, y, split, place, f"/x/{number}.jpg"))
    header = ("img_id", "img_filename", "y", "split", "place", "place_filename")
    table(folder / "metadata.csv", header, lines)
    return lines


def grouped_images(folder, count=48):
    """A table as of SubpopBench, with words for numbers in `a`."""
    lines = []
    for number in range(count):
        name = f"pictures/{number}.png"
        picture(folder / name, number)
        part = ("train", "va", "2")[(number % 4 == 2) + 2 * (number % 4 == 3)]
        lines.append((number, name, part, number % 3, ("snow", "grass")[number % 2]))
    table(folder / "metadata.csv", ("id", "filename", "split", "y", "a"), lines)
    return lines


def celeba(folder, count=40, text=True, twice=False):
    """Tables of the authors (text) or with commas; Blond_Hair every third, Male every second."""
    images = folder / "img_align_celeba"
    images = images / images.name if twice else images
    names = [f"{number + 1:06}.jpg" for number in range(count)]
    for number, name in enumerate(names):
        picture(images / name, number, (18, 22))
    columns = ("Bald", "Blond_Hair", "Male")
    values = [(-1, 1 if n % 3 == 0 else -1, 1 if n % 2 else -1) for n in range(count)]
    parts = [0 if n < 0.6 * count else 1 + n % 2 for n in range(count)]
    if not text:
        lines = [(name, *row) for name, row in zip(names, values, strict=True)]
        table(folder / "list_attr_celeba.csv", ("image_id", *columns), lines)
        pairs = list(zip(names, parts, strict=True))
        table(folder / "list_eval_partition.csv", ("image_id", "partition"), pairs)
        return values, parts
    lines = [str(count), " ".join(columns)]
    lines += [f"{n}  {a} {b}  {c}" for n, (a, b, c) in zip(names, values, strict=True)]
    (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    lines = [f"{n} {p}" for n, p in zip(names, parts, strict=True)]
    (folder / "list_eval_partition.txt").write_text("\n".join(lines) + "\n")
    return values, parts


def bar(folder, each=(5, 2)):
    """Pictures named after six actions."""
    actions = ("climbing", "diving", "fishing", "racing", "throwing", "vaulting")
    for part, count in zip(("train", "test"), each, strict=True):
        for number in range(len(actions) * count):
            shown = number + 30 * (part == "test")
            picture(folder / part / f"{actions[number % 6]}_{number}.jpg", shown)


def nico(folder, sizes=((9, 6, 4, 2), (8, 7, 3, 1))):
    """Two animals in four contexts, fewer in each."""
    contexts = ("on grass", "in water", "at home", "in cage")
    number = 0
    for name, counts in zip(("bear", "dog"), sizes, strict=True):
        for context, count in zip(contexts, counts, strict=True):
            for _ in range(count):
                picture(folder / name / context / f"{number}.jpg", number)
                number += 1


def imagenet9(folder):
    """ImageNet's folders for training and ImageNet-A's for the test; bg_challenge's numbered."""
    numbers = iter(range(1000))
    for wnid in WNIDS:
        for part, count in (("train", 6), ("imagenet-a", 3)):
            for _ in range(count):
                number = next(numbers)
                picture(folder / part / wnid / f"{wnid}_{number}.JPEG", number)
    for part, count in (("in9l/train", 5), ("in9l/val", 2), ("bg/mixed_rand/val", 2)):
        for name in ("00_dog", "01_bird", "02_wheeled vehicle"):
            for _ in range(count):
                number = next(numbers)
                picture(folder / part / name / f"{number}.JPEG", number)


def mnist(path, count=(120, 40), idx=False, packed=False):
    """MNIST as mnist.npz, or as four files in a folder; returns its arrays."""
    generator = np.random.default_rng(0)
    arrays = {}
    for part, size in zip(("train", "test"), count, strict=True):
        arrays[f"x_{part}"] = generator.integers(0, 256, (size, 28, 28)).astype(np.uint8)
        arrays[f"y_{part}"] = (np.arange(size) % 10).astype(np.uint8)
    if not idx:
        np.savez_compressed(path, **arrays)
        return arrays
    path.mkdir(parents=True, exist_ok=True)
    for part, stem in (("train", "train"), ("test", "t10k")):
        for key, name in (("x", "images-idx3"), ("y", "labels-idx1")):
            array = arrays[f"{key}_{part}"]
            content = struct.pack(f">{1 + array.ndim}I", 0x800 + array.ndim, *array.shape)
            content += array.tobytes()
            file = path / f"{stem}-{name}-ubyte"
            if packed:
                file.with_name(file.name + ".gz").write_bytes(gzip.compress(content))
            else:
                file.write_bytes(content)
    return arrays


def cifar(folder, each=12):
    """The binary files of CIFAR-10, a third cars, a third trucks; returns labels and pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(1)
    found = []
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        labels = np.array([1, 9, 3] * (each // 3), np.uint8)
        pixels = generator.integers(0, 256, (each, 3, 32, 32)).astype(np.uint8)
        records = np.concatenate([labels[:, None], pixels.reshape(each, -1)], axis=1)
        (folder / f"{name}.bin").write_bytes(records.tobytes())
        found.append((labels, pixels.transpose(0, 2, 3, 1)))
    return found


def vocabulary(file):
    """A small vocab.txt."""
    file.write_text("\n".join(WORDS) + "\n", encoding="utf-8")


def civilcomments(folder, count=60):
    """Comments with shares of raters; every comment has its own words."""
    generator = np.random.default_rng(2)
    lines = []
    for number in range(count):
        text = " ".join(generator.choice(["the", "bird", "is", "not", "unaffable!"], 6))
        shares = generator.choice([0.0, 0.4, 0.5, 1.0], len(IDENTITIES), p=[0.5, 0.2, 0.2, 0.1])
        part = ("train", "train", "val", "test")[number % 4]
        toxicity = (0.0, 0.49, 0.5, 0.9)[generator.integers(0, 4)]
        lines.append((number, text, part, toxicity, *shares, max(shares)))
    header = ("", "comment_text", "split", "toxicity", *IDENTITIES, "identity_any")
    table(folder / "all_data_with_identities.csv", header, lines)
    return lines


def multinli(folder, count=48):
    """A table that numbers pairs through three files, from which pairs without a label are left."""
    words = ("contradiction", "entailment", "neutral")
    names = ("train", "dev_matched", "dev_mismatched")
    (folder / "data").mkdir(parents=True, exist_ok=True)
    pairs, lines = [], []
    for number in range(count):
        label = "-" if number % 7 == 3 else words[number % 3]
        second = ("A bird is no bird." if number % 4 == 1 else "You, bird!") + " the" * (number % 5)
        pairs.append({"sentence1": f"the bird {'is ' * (number % 6)}", "sentence2": second})
        pairs[-1]["gold_label"] = label
        if label != "-":
            part = (0, 0, 1, 2)[number % 4]
            lines.append((number, words.index(label), int(number % 4 == 1), part))
    for name, start, stop in zip(names, (0, 20, 30), (20, 30, count), strict=True):
        text = "\n".join(json.dumps(pair) for pair in pairs[start:stop])
        (folder / "data" / f"multinli_1.0_{name}.jsonl").write_text(text + "\n")
    header = ("", "gold_label", "sentence2_has_negation", "split")
    table(folder / "data" / "metadata_random.csv", header, lines)
    return pairs, lines


def everything(folder):
    """All of them, below one folder."""
    for make in (waterbirds, grouped_images, bar, nico, imagenet9, civilcomments, multinli):
        make(folder / make.__name__)
    (folder / "celeba").mkdir()
    celeba(folder / "celeba")
    mnist(folder / "mnist.npz")
    cifar(folder / "cifar-10-batches-bin")
    vocabulary(folder / "vocab.txt")
