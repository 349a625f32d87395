"""TensorProto to NumPy and back, as TensorFlow does it, and what is refused unseen."""

import tracemalloc

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from tfkit.serve import tensor_protos
from tfkit.serve.status import RequestError

NAMES = "float32 float64 int32 uint8 int16 int8 complex64 int64 bool bfloat16 uint16 complex128"
NAMES += " float16 uint32 uint64 string"


def values(dtype):
    if dtype == tf.string:
        return np.array([[b"a\0", b""], [b"\xff", "ü".encode()]], dtype=object)
    array = np.array([[0, 1, 2], [3, 100, 1]])
    return (array * (1 + 2j) if dtype.is_complex else array).astype(dtype.as_numpy_dtype)


def proto(dtype, shape, **fields):
    result = tensor_pb2.TensorProto(dtype=dtype, **fields)
    for size in shape:
        result.tensor_shape.dim.add(size=size)
    return result


@pytest.mark.parametrize("name", NAMES.split())
def test_every_type_as_tensorflow_has_it(name):
    array = values(tf.as_dtype(name))
    for case in (array, array[:1, 0], array[:, :0], array[0, 0]):
        written = tensor_protos.write(case)
        theirs = tf.make_ndarray(written)
        np.testing.assert_array_equal(theirs, np.asarray(case, dtype=array.dtype), strict=True)
        for given in (written, tf.make_tensor_proto(case, dtype=name), by_field(case, name)):
            ours = tensor_protos.read(given)
            assert ours.dtype == array.dtype and ours.shape == np.shape(case)
            np.testing.assert_array_equal(ours, theirs)


def by_field(array, name):
    """A proto with its values in the field of their type, as other clients send it."""
    given = tf.make_tensor_proto(array, dtype=name)
    given.ClearField("tensor_content")
    _, field = tensor_protos.TYPES[given.dtype]
    flat = np.ravel(np.asarray(array, dtype=tf.as_dtype(name).as_numpy_dtype))
    given.ClearField(field)
    if field == "half_val":
        flat = flat.view(np.uint16)
    if "complex" in field:
        flat = flat.view(flat.real.dtype)
    getattr(given, field).extend(flat.tolist())
    return given


def test_strings_packed_as_tensorflow_packs_them():
    content = b"\x02\xac\x02" + b"ab" + b"c" * 300
    packed = proto(types_pb2.DT_STRING, [2], tensor_content=content)
    assert tensor_protos.read(packed).tolist() == [b"ab", b"c" * 300]
    for wrong in (content[:-1], content + b"d", b"\xff" * 20, b"\x01"):
        with pytest.raises(RequestError, match="tensor_content"):
            tensor_protos.read(proto(types_pb2.DT_STRING, [2], tensor_content=wrong))


def test_what_is_left_out_is_repeated_or_zero():
    given = proto(types_pb2.DT_FLOAT, [2, 2], float_val=[1, 2])
    assert tensor_protos.read(given).tolist() == [[1, 2], [2, 2]]
    assert tensor_protos.read(proto(types_pb2.DT_INT8, [2])).tolist() == [0, 0]
    assert tensor_protos.read(proto(types_pb2.DT_STRING, [1])).tolist() == [b""]
    given = proto(types_pb2.DT_BOOL, [3], tensor_content=b"\x00\x01\x02")
    assert tensor_protos.read(given).view(np.uint8).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "given, message",
    [
        (proto(1, [10**6, 10**6], float_val=[1]), "takes 4000000000000 bytes, more than"),
        (proto(7, [10**12], string_val=[b""]), "bytes, more than"),
        (proto(1, [2**62, 2**62, 2**62]), "bytes, more than"),
        (proto(1, [0, 2**62, 2**62]), "bytes, more than"),
        (proto(1, [-1]), r"Shape \[-1\] of a tensor has a negative size"),
        (proto(1, [1] * 33), "more than 32 axes"),
        (proto(1, [2], tensor_content=b"\0" * 7), "has 7 bytes, but .* has 8"),
        (proto(1, [1], float_val=[1, 2]), r"2 values for a tensor of shape \[1\]"),
        (proto(1, [0], float_val=[1]), r"1 values for a tensor of shape \[0\]"),
        (proto(8, [1], scomplex_val=[1]), "imaginary part"),
    ],
)
def test_contradictions_are_refused_before_memory_is_taken(given, message):
    tracemalloc.start()
    try:
        with pytest.raises(RequestError, match=message) as caught:
            tensor_protos.read(given)
        assert caught.value.code == "INVALID_ARGUMENT"
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


def test_unknown_ranks_and_types():
    given = proto(types_pb2.DT_FLOAT, [])
    given.tensor_shape.unknown_rank = True
    with pytest.raises(RequestError, match="without a shape"):
        tensor_protos.read(given)
    for dtype in (0, types_pb2.DT_RESOURCE, types_pb2.DT_VARIANT, types_pb2.DT_FLOAT_REF):
        with pytest.raises(RequestError) as caught:
            tensor_protos.read(proto(dtype, [1]))
        assert caught.value.code == "UNIMPLEMENTED"
    with pytest.raises(RequestError, match="more than the 7"):
        tensor_protos.read(proto(types_pb2.DT_FLOAT, [2]), max_bytes=7)
    with pytest.raises(RequestError, match="datetime64"):
        tensor_protos.write(np.zeros(1, "datetime64[s]"))


def test_texts_and_single_bytes_are_written_whole():
    assert tensor_protos.write(b"a\0").string_val == [b"a\0"]
    assert tensor_protos.write("ä").string_val == ["ä".encode()]
    assert tensor_protos.write(np.array(["ä", "b"])).string_val == ["ä".encode(), b"b"]
