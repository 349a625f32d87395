"""Arrays for a signature's inputs: by name, of the right shape, without loss in the right dtype."""

from __future__ import annotations

import difflib
from typing import Any, NamedTuple

import numpy as np

from tfkit.errors import UsageError


class Spec(NamedTuple):
    """What a signature says of one tensor. TensorFlow's own specs would need TensorFlow.

    Args:
        dtype: NumPy's name of it, or "string".
        shape: sizes, None where any will do; None where any rank will do.
    """

    dtype: str
    shape: tuple[int | None, ...] | None

    @classmethod
    def of(cls, spec: Any) -> Spec:
        """The same of a `tf.TensorSpec`."""
        if isinstance(spec, cls):
            return spec
        return cls(spec.dtype.name, None if spec.shape.rank is None else tuple(spec.shape))

    @property
    def is_floating(self) -> bool:
        """Whether values may be rounded to fit."""
        return self.dtype.startswith(("float", "bfloat"))

    @property
    def array_dtype(self) -> np.dtype:
        """NumPy's dtype of it; text is an object array of bytes."""
        if self.dtype == "string":
            return np.dtype(object)
        try:
            return np.dtype(self.dtype)
        except TypeError:
            import ml_dtypes  # bfloat16 and its like, as TensorFlow has them

        if not hasattr(ml_dtypes, self.dtype):
            raise UsageError(f"Arrays have no dtype {self.dtype}.")
        return np.dtype(getattr(ml_dtypes, self.dtype))

    @property
    def words(self) -> str:
        """The shape for people: [batch, 28, any]."""
        if self.shape is None:
            return "of any rank"
        free = ["any"] * len(self.shape)
        free[:1] = ["batch"][: len(self.shape)]
        sizes = zip(self.shape, free, strict=True)
        return "[" + ", ".join(word if size is None else str(size) for size, word in sizes) + "]"

    def takes(self, shape: tuple[int, ...], skip: int = 0) -> bool:
        """Whether an array of `shape` fits all but the first `skip` axes."""
        if self.shape is None:
            return True
        expected = self.shape[skip:]
        return len(expected) == len(shape) and all(
            want in (None, got) for want, got in zip(expected, shape, strict=True)
        )


def fit(where: str, given: Any, specs: dict[str, Spec]) -> dict[str, np.ndarray]:
    """One array per input, checked and cast.

    Args:
        where: what an error begins with: a file, or whose argument.
        given: {input name: array}, or one array for a signature with one input.
        specs: {input name: Spec}.
    Returns: in the order of `specs`; text as bytes.
    Raises: UsageError that says what was expected and what was found.
    """
    named = _named(where, given, specs)
    return {name: _fitted(where, name, named[name], spec) for name, spec in specs.items()}


def chosen_signature(whose: str, available: list[str], wanted: str | None) -> str:
    """The name of the wanted signature; without one `predict`, else the first.

    Args:
        whose: what an error begins with: "The export".
        available: the signatures' names.
        wanted: a name or None.
    Raises: UsageError with what there is.
    """
    name = wanted
    if wanted is None:
        name = "predict" if "predict" in available else next(iter(available), "")
    if not isinstance(name, str):
        raise UsageError(f"{whose}: a signature has a name, got {wanted!r}.")
    if name not in available:
        close = difflib.get_close_matches(name, available, n=1)
        hint = f"; did you mean {close[0]}?" if close else "."
        has = ", ".join(sorted(available)) or "none"
        raise UsageError(f"{whose} has no signature {name!r}{hint} It has: {has}.")
    return name


def _named(where: str, given: Any, specs: dict) -> dict[str, Any]:
    """One array per input, by name."""
    if not isinstance(given, dict):
        if len(specs) != 1:
            raise UsageError(
                f"{where}: the signature takes several inputs ({', '.join(specs)}); "
                "give them by these names, in a file as an .npz with these keys."
            )
        return {next(iter(specs)): given}
    for name in specs:
        if name not in given:
            close = difflib.get_close_matches(name, map(str, given), n=1)
            hint = f"; did you mean {name} where it says {close[0]}?" if close else "."
            has = ", ".join(map(str, given)) or "nothing"
            kind = "The file has" if where.endswith(".npz") else "Given were"
            raise UsageError(f"{where}: the input {name!r} is missing{hint} {kind}: {has}.")
    unknown = [name for name in given if name not in specs]
    if unknown:
        raise UsageError(
            f"{where}: the signature has no input {unknown[0]!r}; it takes {', '.join(specs)}."
        )
    return given


def _fitted(where: str, name: str, given: Any, spec: Spec) -> np.ndarray:
    """The array in the input's dtype, if its shape and its values allow."""
    try:
        array = np.asarray(given)
    except ValueError as error:  # lists of unequal lengths
        raise UsageError(f"{where}: {name} is no array: {error}") from error
    if not spec.takes(array.shape):
        cure = "; a single row needs a leading axis of 1" if spec.takes(array.shape, 1) else ""
        raise UsageError(
            f"{where}: {name} must have shape {spec.words}, got {list(array.shape)}{cure}."
        )
    if spec.dtype == "string":
        return _text(where, name, array)
    if not _casts(array, spec):
        raise UsageError(
            f"{where}: {name} must be {spec.dtype}, got {array.dtype} with values that "
            f"{spec.dtype} cannot hold."
        )
    return array.astype(spec.array_dtype)


def _text(where: str, name: str, array: np.ndarray) -> np.ndarray:
    """Bytes: text in UTF-8, bytes as they are."""
    if array.dtype.kind not in "SUO":
        raise UsageError(f"{where}: {name} must be text, got {array.dtype}.")
    flat = array.ravel().tolist()
    odd = [type(value).__name__ for value in flat if not isinstance(value, str | bytes)]
    if odd:
        raise UsageError(f"{where}: {name} must be text, got values of type {odd[0]}.")
    try:
        encoded = [value.encode() if isinstance(value, str) else value for value in flat]
    except UnicodeEncodeError as error:
        raise UsageError(f"{where}: {name} holds text that is no Unicode: {error}") from error
    result = np.empty(len(encoded), object)
    result[:] = encoded
    return result.reshape(array.shape)


def _casts(array: np.ndarray, spec: Spec) -> bool:
    """Whether the values survive: floats may round but not overflow, all else must be exact."""
    if array.dtype.kind not in "biuf":
        return False
    target = spec.array_dtype
    with np.errstate(all="ignore"):
        cast = array.astype(target)
        if array.dtype.kind == "f" and spec.is_floating:
            return bool(np.array_equal(np.isfinite(cast), np.isfinite(array)))
        if not np.array_equal(cast.astype(array.dtype), array):
            return False
    # there and back they are the same also where they wrapped around, or met a limit
    return _within(array, target) and _within(cast, array.dtype)


def _within(array: np.ndarray, dtype: np.dtype) -> bool:
    """Whether no value is beyond the limits of an integer dtype."""
    if dtype.kind not in "iu" or array.size == 0:
        return True
    limits = np.iinfo(dtype)  # Python compares its own numbers exactly
    return limits.min <= array.min().item() and array.max().item() <= limits.max
