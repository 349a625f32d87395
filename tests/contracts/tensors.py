"""Contracts of losses, metrics, layers and activations: functions of tensors."""

import json

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tests.contracts.subject import SIZES, Subject, examples, other_value, shapes, size
from tests.contracts.words import WORDS, documented, refuse, refused, refuses_bad_arguments, tested
from tfkit.errors import UsageError

HALF = 2e-2  # what bfloat16's 8 bits of mantissa leave of a short computation


def numbers(outputs) -> list[np.ndarray]:
    """The outputs as a flat list of arrays; bfloat16 as float32."""
    flat = keras.tree.flatten(outputs)
    arrays = [ops.convert_to_tensor(value) for value in flat]
    return [
        ops.convert_to_numpy(ops.cast(a, "float32") if "float16" in a.dtype.name else a)
        for a in arrays
    ]


def close(got, wanted, told: str, rtol=1e-5) -> None:
    """Two results agree, relative to their size."""
    for one, other in zip(numbers(got), numbers(wanted), strict=True):
        assert one.shape == other.shape, f"{told}: shapes {one.shape} and {other.shape}"
        room = rtol * max(1.0, float(np.abs(other).max(initial=0)))
        np.testing.assert_allclose(one, other, rtol=rtol, atol=room, err_msg=told)


def computed(given: Subject):
    """The loss as a function of its tensors, its options bound."""
    if isinstance(given.object, type):
        return given.make()
    return lambda *tensors: given.object(*tensors, **given.options)


def floating(arrays) -> list[int]:
    """Which of the inputs are floats."""
    return [index for index, array in enumerate(arrays) if array.dtype.kind == "f"]


def as_dtype(arrays, dtype) -> list:
    """The inputs as tensors, the floats among them of another type."""
    chosen = floating(arrays)
    return [tf.cast(a, dtype) if i in chosen else tf.constant(a) for i, a in enumerate(arrays)]


# --- losses -----------------------------------------------------------------------------------


def takes_arrays_and_gives_its_shape(given: Subject) -> None:
    """NumPy arrays are accepted; the result is finite and of the docstring's shape."""
    arrays = examples(given)
    result = computed(given)(*arrays)
    assert all(np.isfinite(value).all() for value in numbers(result)), f"{given.name}: not finite"
    close(computed(given)(*map(tf.constant, arrays)), result, f"{given.name}: tensors, arrays")
    said = shapes(given.entry)[1]
    if said.startswith("dict"):
        assert isinstance(result, dict), f"{given.name}: gives no dict, the docstring says {said}"
        odd = [name for name in result if f'"{name}"' not in said]
        assert not odd, f"{given.name}: the docstring's Shapes lacks {odd}"
        assert all(value.shape == () for value in numbers(result)), f"{given.name}: not scalars"
    elif said.startswith("["):
        shape = numbers(result)[0].shape
        assert shape == size(said), f"{given.name}: shape {shape}, the docstring says {said}"


def computes_in_float32_at_least(given: Subject) -> None:
    """float64 loses nothing beyond float32; half precision is lifted before any sum."""
    arrays, function = examples(given), computed(given)
    close(function(*as_dtype(arrays, "float64")), function(*arrays), f"{given.name}: float64")
    for dtype in ("bfloat16", "float16"):
        low = as_dtype(arrays, dtype)
        result = function(*low)
        types = {value.dtype.name for value in keras.tree.flatten(result)}
        assert types == {"float32"}, f"{given.name}: gives {types} for {dtype}"
        lifted = [tf.cast(t, "float32") if t.dtype.is_floating else t for t in low]
        close(result, function(*lifted), f"{given.name}: {dtype} is not lifted to float32")


def has_finite_gradients(given: Subject) -> None:
    """Some input moves the result, and no gradient is NaN or infinite."""
    arrays = examples(given)
    tensors = [tf.constant(array) for array in arrays]
    sources = [tensors[index] for index in floating(arrays)]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        total = sum(ops.sum(value) for value in keras.tree.flatten(computed(given)(*tensors)))
    found = [g for g in tape.gradient(total, sources) if g is not None]
    assert any(np.any(g) for g in found), f"{given.name}: no input has a gradient"
    assert all(np.isfinite(g).all() for g in found), f"{given.name}: gradients are not finite"


def compiles_for_any_batch(given: Subject) -> None:
    """The graph of an open batch size and XLA's program give the eager numbers."""
    arrays, function = examples(given), computed(given)
    specs = [tf.TensorSpec([None, *a.shape[1:]] if a.ndim else [], a.dtype) for a in arrays]
    graph = tf.function(function, input_signature=specs)
    compiled = tf.function(function, jit_compile=True)
    close(compiled(*arrays), function(*arrays), f"{given.name}: jit_compile=True")
    for rows in (SIZES["B"], 2):
        cut = [array[:rows] if array.ndim else array for array in arrays]
        close(graph(*cut), function(*cut), f"{given.name}: open batch of {rows}")


def loss_refuses_bad_arguments(given: Subject) -> None:
    """Every bounded or enumerated option is refused outside."""
    if isinstance(given.object, type):
        return refuses_bad_arguments(given)
    refuse(given, lambda **bad: given.object(*examples(given), **{**given.options, **bad}))
    return None


def is_saved_by_its_configuration(given: Subject) -> None:
    """A class is registered as tfkit>Name, and its config rebuilds it, options and all."""
    if not isinstance(given.object, type):
        return
    registered = keras.saving.get_registered_name(given.object)
    wanted = f"tfkit>{given.object.__name__}"
    assert registered == wanted, f"{given.name}: registered as {registered}, not as {wanted}"
    json.dumps(keras.saving.serialize_keras_object(given.make()))
    keeps_every_option(given, given.make)


def keeps_every_option(given: Subject, make) -> None:
    """get_config has every argument as it was given, and from_config makes the same again."""
    changes = [{}] + [
        {p.name: value}
        for p in given.entry.options.values()
        if (value := other_value(p)) is not None
    ]
    for change in changes:
        try:
            made = make(**change)
        except (ValueError, UsageError) as error:
            assert change and refused(error), f"{given.name}: {error!r} with {change or 'defaults'}"
            continue  # not legal beside the other options
        config = made.get_config()
        lost = [p.name for p in given.entry.parameters if p.name not in config]
        assert not lost, f"{given.name}: get_config loses {lost}"
        for name, value in change.items():
            assert config[name] == value, f"{given.name}: {name}={value} became {config[name]}"
        again = type(made).from_config(made.get_config()).get_config()
        assert plain(again) == plain(config), f"{given.name}: from_config(get_config()) is another"


def plain(config: dict) -> str:
    """A configuration as text, whatever objects it holds."""
    return json.dumps(keras.saving.serialize_keras_object(config), sort_keys=True, default=str)


LOSS = (
    documented,
    tested,
    loss_refuses_bad_arguments,
    takes_arrays_and_gives_its_shape,
    computes_in_float32_at_least,
    has_finite_gradients,
    compiles_for_any_batch,
    is_saved_by_its_configuration,
)


# --- layers and activations -------------------------------------------------------------------


def layer_model(given: Subject, policy="float32"):
    """The layer alone in a model, its weights from seed 0, and inputs as the model takes them."""
    keras.utils.set_random_seed(0)
    arrays = examples(given)
    keras.config.set_dtype_policy(policy)
    try:
        made = given.make() if isinstance(given.object, type) else keras.layers.Lambda(given.object)
        inputs = [keras.Input(array.shape[1:], dtype=array.dtype.name) for array in arrays]
        inputs, arrays = (inputs[0], arrays[0]) if len(inputs) == 1 else (inputs, arrays)
        outputs = made(inputs)
    finally:
        keras.config.set_dtype_policy("float32")
    return keras.Model(inputs, outputs), arrays


def first_rows(structure, count=2):
    """The first rows of every array."""
    return keras.tree.map_structure(lambda array: array[:count], structure)


def layer_runs_everywhere(given: Subject) -> None:
    """The same seed, a shorter batch, XLA and bfloat16 give the same numbers, as far as they go;
    in bfloat16, unless the docstring says that they `stay float32 in half precision`.
    """
    model, arrays = layer_model(given)
    result = model(arrays, training=False)
    close(layer_model(given)[0](arrays), result, f"{given.name}: same seed", rtol=0)
    close(model(first_rows(arrays)), first_rows(result), f"{given.name}: another batch size")
    compiled = tf.function(lambda rows: model(rows, training=False), jit_compile=True)
    close(compiled(arrays), result, f"{given.name}: jit_compile=True")
    low = layer_model(given, "mixed_bfloat16")[0](arrays, training=False)
    types = {tensor.dtype.name for tensor in keras.tree.flatten(low)}
    exact = "stay float32 in half precision" in " ".join(given.entry.doc.split())
    wanted = {"float32" if exact else "bfloat16"}
    assert types == wanted, f"{given.name}: gives {types} under mixed_bfloat16"
    close(low, result, f"{given.name}: mixed_bfloat16", rtol=HALF)


def layer_has_finite_gradients(given: Subject) -> None:
    """Every trainable weight, and some input, has a finite gradient."""
    model, arrays = layer_model(given)
    tensors = keras.tree.map_structure(tf.constant, arrays)
    sources = [t for t in keras.tree.flatten(tensors) if t.dtype.is_floating]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs = keras.tree.flatten(model(tensors, training=True))
        total = sum(ops.sum(ops.square(output)) for output in outputs)
    weights, sources = tape.gradient(total, (model.trainable_variables, sources))
    assert all(g is not None for g in weights), f"{given.name}: a weight has no gradient"
    found = [ops.convert_to_numpy(g) for g in (*weights, *sources) if g is not None]
    assert any(np.any(g) for g in found), f"{given.name}: all gradients are zero"
    assert all(np.isfinite(g).all() for g in found), f"{given.name}: gradients are not finite"


def layer_is_saved_and_exported(given: Subject, folder) -> None:
    """A `.keras` file and a SavedModel answer as the layer does."""
    model, arrays = layer_model(given)
    result = model(arrays, training=False)
    model.save(folder / "layer.keras")
    loaded = keras.saving.load_model(folder / "layer.keras")
    close(loaded(arrays, training=False), result, f"{given.name}: .keras")
    model.export(folder / "exported", verbose=False)
    loaded = tf.saved_model.load(str(folder / "exported"))  # its variables live as long as it
    served = loaded.serve(keras.tree.map_structure(tf.constant, arrays))
    close(served, result, f"{given.name}: SavedModel")


LAYER = (
    *WORDS,
    layer_runs_everywhere,
    layer_has_finite_gradients,
    is_saved_by_its_configuration,
    layer_is_saved_and_exported,
)
# an activation that is a function has no weights, configuration or file of its own
ACTIVATION = (documented, tested, loss_refuses_bad_arguments, layer_runs_everywhere)
