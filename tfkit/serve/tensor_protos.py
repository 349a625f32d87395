"""TensorProto, the arrays of TF Serving's gRPC, to NumPy and back.

What a proto claims is checked before anything is allocated: its sizes may be a few bytes that ask
for a terabyte.
"""

from functools import cache
from math import prod

import numpy as np

from tfkit.serve.rest.documents import invalid
from tfkit.serve.status import RequestError

# TF's number of a type: NumPy's name and the field with its values; object is string
TYPES = {
    1: ("float32", "float_val"),
    2: ("float64", "double_val"),
    3: ("int32", "int_val"),
    4: ("uint8", "int_val"),
    5: ("int16", "int_val"),
    6: ("int8", "int_val"),
    7: ("object", "string_val"),
    8: ("complex64", "scomplex_val"),
    9: ("int64", "int64_val"),
    10: ("bool", "bool_val"),
    14: ("bfloat16", "half_val"),
    17: ("uint16", "int_val"),
    18: ("complex128", "dcomplex_val"),
    19: ("float16", "half_val"),
    22: ("uint32", "uint32_val"),
    23: ("uint64", "uint64_val"),
}
NUMBERS = {name: number for number, (name, _) in TYPES.items()}
# NumPy before 2.0 has no more
MAX_RANK = 32
# an element of a string tensor is at least a pointer and an empty string
STRING_BYTES = 41


def read(proto, *, max_bytes: int = 2**31) -> np.ndarray:
    """The array of a TensorProto; bytes in an object array for strings.

    As in TensorFlow, the values stand in `tensor_content`, or in the field of their type, where the
    last one is repeated up to the end and none at all means zeros. More values than the shape has
    are refused. The array may share the proto's bytes, and is not to be written to.

    Args:
        proto: a TensorProto.
        max_bytes: most that the array may take.
    Raises:
        RequestError: INVALID_ARGUMENT, what the proto says is contradictory or too much;
            UNIMPLEMENTED, a type that has no array.
    """
    if proto.dtype not in TYPES:
        raise RequestError("UNIMPLEMENTED", f"Tensors of data type {proto.dtype} are not taken")
    name, field = TYPES[proto.dtype]
    shape = _shape(proto)
    item_bytes = STRING_BYTES if name == "object" else _dtype(name).itemsize
    # sizes beside a zero count too: NumPy does not take them without limit either
    asked = prod(max(size, 1) for size in shape) * item_bytes
    if asked > max_bytes:
        raise invalid(
            f"A tensor of shape {_words(shape)} takes {asked} bytes, "
            f"more than the {max_bytes} that are taken"
        )
    if proto.tensor_content:
        unpack = _strings_of_content if name == "object" else _numbers_of_content
        return unpack(proto.tensor_content, _dtype(name), shape)
    values = getattr(proto, field)
    if name == "object":
        return _repeated(_objects(values), shape, b"")
    return _repeated(_numbers(values, _dtype(name), field), shape, 0)


def write(array: np.ndarray):
    """The TensorProto of an array, numbers as `tensor_content`, which every client reads.

    Args:
        array: of numbers, or of bytes or str for a tensor of strings.
    Raises:
        RequestError: INTERNAL, a type that TensorProto does not have.
    """
    from tensorflow.core.framework import tensor_pb2

    if isinstance(array, (bytes, str)):  # NumPy would strip zeros from the end
        array = np.array(array, dtype=object)
    array = np.asarray(array)
    name = "object" if array.dtype.kind in "OSU" else array.dtype.name
    if name not in NUMBERS:
        raise RequestError("INTERNAL", f"An array of type {name} cannot be answered")
    proto = tensor_pb2.TensorProto(dtype=NUMBERS[name])
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if name == "object":
        proto.string_val.extend(map(_bytes, array.ravel().tolist()))
    else:
        proto.tensor_content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return proto


@cache
def _dtype(name: str) -> np.dtype:
    if name == "bfloat16":
        import ml_dtypes  # NumPy itself has none

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


def _shape(proto) -> tuple[int, ...]:
    if proto.tensor_shape.unknown_rank:
        raise invalid("A tensor without a shape is not taken")
    if len(proto.tensor_shape.dim) > MAX_RANK:
        raise invalid(f"A tensor of more than {MAX_RANK} axes is not taken")
    shape = tuple(dimension.size for dimension in proto.tensor_shape.dim)
    if any(size < 0 for size in shape):
        raise invalid(f"Shape {_words(shape)} of a tensor has a negative size")
    return shape


def _words(shape: tuple) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


def _numbers_of_content(content: bytes, dtype: np.dtype, shape: tuple) -> np.ndarray:
    expected = prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise invalid(
            f"tensor_content has {len(content)} bytes, but a tensor of {dtype.name} and shape "
            f"{_words(shape)} has {expected}"
        )
    if dtype.kind == "b":  # any byte but 0 and 1 would be no boolean
        return (np.frombuffer(content, np.uint8) != 0).reshape(shape)
    return np.frombuffer(content, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)


def _strings_of_content(content: bytes, dtype: np.dtype, shape: tuple) -> np.ndarray:
    """Strings as TensorFlow packs them: all lengths as variable-length integers, then all bytes."""
    strings = np.empty(prod(shape), dtype)
    lengths, start = [], 0
    for _ in range(len(strings)):
        length = shift = 0
        more = True
        while more:
            if start >= len(content) or shift > 63:
                raise invalid("tensor_content of a tensor of strings ends within its lengths")
            length |= (content[start] & 0x7F) << shift
            more = content[start] >= 0x80
            start, shift = start + 1, shift + 7
        lengths.append(length)
    if sum(lengths) != len(content) - start:
        raise invalid("tensor_content of a tensor of strings has other lengths than bytes")
    for index, length in enumerate(lengths):
        strings[index] = content[start : start + length]
        start += length
    return strings.reshape(shape)


def _objects(values) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = list(values)
    return array


def _numbers(values, dtype: np.dtype, field: str) -> np.ndarray:
    if field == "half_val":  # the bits, in the lower half of an integer
        return np.array(values, np.int64).astype(np.uint16).view(dtype)
    if dtype.kind == "c":  # real and imaginary parts in turn
        parts = np.array(values, dtype.type(0).real.dtype)
        if len(parts) % 2:
            raise invalid(f"{field} has an imaginary part too few")
        return parts.view(dtype)
    wide = np.int64 if field == "int_val" else dtype
    return np.array(values, wide).astype(dtype, copy=False)


def _repeated(values: np.ndarray, shape: tuple, zero) -> np.ndarray:
    """The values in their shape, the last one repeated for those that were left out."""
    size = prod(shape)
    if len(values) > size:
        raise invalid(f"{len(values)} values for a tensor of shape {_words(shape)}")
    if len(values) < size:
        whole = np.full(size, values[-1] if len(values) else zero, values.dtype)
        whole[: len(values)] = values
        values = whole
    return values.reshape(shape)


def _bytes(item: bytes | str) -> bytes:
    return item if isinstance(item, bytes) else str(item).encode("utf-8", "surrogateescape")
