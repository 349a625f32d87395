"""What must hold before the first operation runs: threads, memory growth, precision, strategy."""

import os
import platform
import warnings
from contextlib import contextmanager

import keras
import tensorflow as tf


def available_cpus() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def cpu_model() -> str:
    """The processor's name; runs resumed on another one may differ in their last bits."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def describe() -> dict:
    """The device as `provenance.json` records it."""
    return {
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "cpus": available_cpus(),
        "gpus": [gpu.name for gpu in tf.config.list_physical_devices("GPU")],
    }


def gpu_names() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES lists them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name and name != "-1"]
    return [str(number) for number in range(len(tf.config.list_physical_devices("GPU")))]


def set_threads(threads: int) -> None:
    """Fix both of TensorFlow's thread pools; the bytes of a run depend on them."""
    config = tf.config.threading
    if config.get_intra_op_parallelism_threads() == threads:
        return
    try:
        config.set_intra_op_parallelism_threads(threads)
        config.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        warnings.warn(
            f"TensorFlow is running already in this process, so train.threads: {threads} cannot "
            "be set any more; numbers may differ in their last bits from those of `tfkit run`.",
            stacklevel=2,
        )


def grow_memory() -> None:
    """Let every GPU's memory grow as needed instead of taking it all."""
    for gpu in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # initialised already: whoever did it chose
            return


def strategy(name: str) -> tf.distribute.Strategy:
    """`none`: the default strategy; `mirrored`: a replica on every local device."""
    if name == "mirrored":
        devices = [d.name for d in tf.config.list_logical_devices("GPU")] or [
            d.name for d in tf.config.list_logical_devices("CPU")
        ]
        return tf.distribute.MirroredStrategy(devices)
    return tf.distribute.get_strategy()


def prepare(train: dict) -> None:
    """What must come before the first operation, also before data are loaded."""
    set_threads(train["threads"])
    grow_memory()
    if train["deterministic"]:  # for the rest of the process: TensorFlow cannot say what it was
        tf.config.experimental.enable_op_determinism()


@contextmanager
def configured(train: dict):
    """A fresh Keras session with `train.precision`; the policy that was there comes back after it.

    Fresh, so that names do not drift and memory does not grow from one trial to the next.
    """
    prepare(train)
    policy = keras.config.dtype_policy()
    if train["precision"] != "float32" and not tf.config.list_physical_devices("GPU"):
        warnings.warn(
            f"train.precision: {train['precision']} is slower than float32 on a CPU.", stacklevel=2
        )
    keras.utils.clear_session()  # forgets the policy too, hence before it is set
    keras.config.set_dtype_policy(train["precision"])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
