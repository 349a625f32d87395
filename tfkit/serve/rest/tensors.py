"""Values of JSON -> arrays, under TF Serving's rules and with its messages.

Lists of numbers go through C code alone: types and sizes of a whole level are compared as sets.
Only what that refuses is looked at value by value, to say what is wrong as TF Serving says it.
"""

import base64
from functools import cache
from itertools import chain

import numpy as np

from tfkit.serve.rest import documents as documents
from tfkit.serve.rest.documents import invalid, shown
from tfkit.serve.status import RequestError

# names of types as TensorFlow's messages have them, where they are not NumPy's
DATA_TYPE = {"float32": "float", "float64": "double", "float16": "half", "object": "string"}
# uint8, int8 and int16 pass through int32 and wrap around, as in TF Serving; uint16, float16 and
# bfloat16, which TF Serving's REST does not take, are read alike
BOUNDS = {"int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1), "uint32": (0, 2**32 - 1)}
INT32 = (-(2**31), 2**31 - 1)


class Kind:
    """How values of JSON become elements of one type.

    Args:
        dtype: of the array, a numpy.dtype; object holds bytes.
    Raises:
        RequestError: UNIMPLEMENTED, a type that JSON has no form for.
    """

    def __init__(self, dtype: np.dtype):
        self.dtype = dtype
        name = dtype.name
        self.name = DATA_TYPE.get(name, name)
        self.floats = dtype.kind == "f" or name == "bfloat16"
        self.integers = dtype.kind in "iu"
        self.strings = dtype.kind == "O"
        self.bounds = BOUNDS.get(name, INT32)
        # rapidjson's GetFloat goes through double and float
        self.wide = {"float64": np.float64}.get(name, np.float32) if self.floats else np.int64
        if name == "uint64":
            self.wide = np.uint64
        if not (self.floats or self.integers or self.strings or self.dtype.kind == "b"):
            raise RequestError("UNIMPLEMENTED", f"Conversion of JSON to type: {self.name}")

    def element(self, value):
        """One value, as the element that goes into an array.

        Raises:
            RequestError: the value has another type.
        """
        if self.floats and type(value) in (int, float):
            return _double(value)
        if self.integers and type(value) is int and self.bounds[0] <= value <= self.bounds[1]:
            return value
        if self.strings and isinstance(value, str):
            return _encoded(value)
        if self.strings and isinstance(value, dict):
            return _decoded_base64(value)
        if self.dtype.kind == "b" and isinstance(value, bool):
            return value
        raise invalid(
            f"JSON Value: {shown(value)} Type: {documents.kind(value)} "
            f"is not of expected type: {self.name}"
        )

    def array(self, elements: list, shape: tuple) -> np.ndarray:
        """The array of elements that `element` gave, or of Python numbers that it would give."""
        if self.strings or self.dtype.kind == "b":
            array = np.empty(len(elements), self.dtype)
            array[:] = elements
        else:
            with np.errstate(over="ignore"):  # beyond float32 lies infinity, as in TF Serving
                array = np.array(elements, self.wide).astype(self.dtype, copy=False)
        return array.reshape(shape)


# NumPy is slow to tell the name of a type
kind_of = cache(Kind)


def to_array(value, dtype: np.dtype) -> np.ndarray:
    """The array of a JSON value: a list of lists of … equal sizes, or one value alone.

    Args:
        value: what `documents.read_object` gave.
        dtype: of the array; object for strings, which become bytes.
    Raises:
        RequestError: another type, or lists of different sizes.
    """
    kind = kind_of(dtype)
    shape = shape_of(value)
    array = _whole(value, kind, shape)
    if array is not None:
        return array
    elements: list = []
    _fill(value, 0, kind, shape, elements)
    return kind.array(elements, shape)


def stack(values: list, dtype: np.dtype, describe) -> np.ndarray:
    """The array that has the arrays of `values` as its rows: one input of all instances.

    Args:
        values: of the instances, at least one.
        dtype: of the array.
        describe: number of an instance -> the words for it, with which its error begins.
    Raises:
        RequestError: an instance is refused, or is of another size than the first.
    """
    kind = kind_of(dtype)
    shape = (len(values), *shape_of(values[0]))
    array = _whole(values, kind, shape)
    if array is not None:
        return array
    elements: list = []
    first = None
    for number, value in enumerate(values):
        before = len(elements)
        try:
            shape = shape_of(value)
            _fill(value, 0, kind, shape, elements)
            first = first or (len(elements), shape)
            _compare(first, (len(elements) - before, shape))
        except RequestError as error:
            raise invalid(f"{describe(number)} Error: {error.code}: {error}") from None
    return kind.array(elements, (len(values), *first[1]))


def shape_of(value) -> tuple[int, ...]:
    """The shape that the first elements of nested lists tell.

    Raises:
        RequestError: more axes than arrays have.
    """
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if len(shape) >= documents.MAX_NESTING:
            raise invalid(f"Lists are nested more than {documents.MAX_NESTING - 1} deep")
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _whole(value, kind: Kind, shape: tuple) -> np.ndarray | None:
    """The array, if all values are plain and all sizes equal; else None, and a closer look tells.

    The sets are those of types and sizes per level, which C code gathers.
    """
    if not shape or kind.strings:
        return None
    level = [value]
    for size in shape:
        if set(map(type, level)) != {list} or set(map(len, level)) != {size}:
            return None
        level = list(chain.from_iterable(level))
        if not level:
            break
    types = set(map(type, level))
    if kind.integers:
        fits = types == {int} and min(level) >= kind.bounds[0] and max(level) <= kind.bounds[1]
    else:
        fits = types <= ({int, float} if kind.floats else {bool})
    if not (fits or not level):
        return None
    try:
        return kind.array(level, shape)
    except OverflowError:  # an integer beyond any double
        return None


def _fill(value, level: int, kind: Kind, shape: tuple, elements: list) -> None:
    """Appends the elements of `value` in order, each list compared with `shape`."""
    rank = len(shape)
    if not isinstance(value, list):
        if level != rank:
            raise invalid(
                f"JSON Value: {shown(value)} found at incorrect level: {level + 1} "
                f"in the JSON DOM. Expected at level: {rank}"
            )
        elements.append(kind.element(value))
        return
    if level >= rank:
        raise invalid(f"Encountered list at unexpected level: {level} expected < {rank}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    for item in value:
        _fill(item, level + 1, kind, shape, elements)


def _compare(first: tuple, this: tuple) -> None:
    """Refuses an instance whose (number of values, shape) is not that of the first one."""
    if this[0] != first[0]:
        raise invalid(f"Expecting tensor size: {first[0]} but got: {this[0]}")
    if this[1] != first[1]:
        expected, got = ("[" + ",".join(map(str, shape)) + "]" for shape in (first[1], this[1]))
        raise invalid(f"Expecting shape {expected} but got: {got}")


def _double(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise invalid(f"JSON Parse error: {documents.TOO_BIG}") from None


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise invalid(f"JSON Value: {shown(text)} is no Unicode text") from None


def _decoded_base64(value: dict) -> bytes:
    """The bytes of {"b64": …}; blanks and missing padding are forgiven, as in TF Serving."""
    if not documents.is_base64(value):
        raise invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    text = "".join(value["b64"].split())
    if not text.endswith("="):
        text += "=" * (-len(text) % 4)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise invalid("Unable to base64 decode") from None
