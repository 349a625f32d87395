"""Joining a running Ray cluster, or saying in one sentence why that cannot be."""

import contextlib
import logging
import signal
import socket
import threading
import warnings

import ray

from tfkit.errors import TfkitError, UsageError

OPTION = "search.executor.address"
CONNECT_SECONDS = 10


def join(address: str) -> bool:
    """Connect to the cluster; False where this process was connected already.

    Raises `UsageError` where there is no cluster, or one that this process cannot talk to.
    """
    if ray.is_initialized():
        return False
    knock(address)
    try:
        with warnings.catch_warnings(), own_signals():
            warnings.simplefilter("ignore")
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:
        ray.shutdown()
        raise UsageError(f"{OPTION}: {why_not(address, error)}") from error
    # what dies is told by us; Ray would print its own account between our lines
    ray._private.worker._worker_logs_enabled = False
    return True


def leave() -> None:
    """Disconnect; the cluster goes on."""
    with own_signals():
        ray.shutdown()
    ray._private.worker._worker_logs_enabled = True


def knock(address: str) -> None:
    """Whether anybody listens at an address: Ray itself would try for minutes."""
    try:
        call(address)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(
            f"{OPTION}: nothing answers at {address} ({reason}); {how_to_start()}"
        ) from error


def call(address: str) -> None:
    """Connect to HOST:PORT for a moment; what is no such address is not called."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()


def lifelines(address: str) -> list[str]:
    """The addresses without which this process can do nothing: the head's, its own node's."""
    if address.startswith("ray://"):
        return [address]
    context = ray.get_runtime_context()
    own = [node for node in ray.nodes() if node["NodeID"] == context.get_node_id()]
    nodes = [f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}" for node in own]
    return [context.gcs_address, *nodes]


def check_lifelines(addresses: list[str]) -> None:
    """Raise `TfkitError` where the cluster itself is gone, so that no task is blamed for it."""
    for address in addresses:
        try:
            call(address)
        except OSError as error:
            raise TfkitError(
                f"search.executor: the Ray cluster is gone: nothing answers at {address} any "
                "more. Once it is back, the same command goes on where this one stops."
            ) from error


def how_to_start() -> str:
    """The commands that make a cluster."""
    return "start a cluster with `ray start --head`, and further nodes with its --address."


def why_not(address: str, error: Exception) -> str:
    """A refusal of Ray's in one sentence."""
    text = str(error)
    if "ersion mismatch" in text or "ersions" in text and "match" in text:
        versions = " ".join(text.split())
        return f"the cluster has another Python or Ray than this machine; {versions}"
    if isinstance(error, ConnectionError) and "ny running Ray" in text:
        return f"no Ray cluster runs on this machine; {how_to_start()}"
    if "IP address" in text or "node_ip_address" in text:
        return (
            f"this machine is no node of the cluster at {address}; join it with "
            f"`ray start --address={address}`, or give ray://HOST:10001."
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{address} cannot be joined: {(lines or [type(error).__name__])[0]}"


@contextlib.contextmanager
def own_signals():
    """Keep this process's answer to SIGTERM, which Ray replaces."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:  # None: set by other means than Python, which cannot set it again
            signal.signal(signal.SIGTERM, before)


def check_room(cpus: int, gpus: float) -> None:
    """Refuse tasks that no node could ever run: Ray would let them wait."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if any(n.get("CPU", 0) >= cpus and n.get("GPU", 0) >= gpus for n in nodes):
        return
    most = ", ".join(f"{n.get('CPU', 0):g} CPUs and {n.get('GPU', 0):g} GPUs" for n in nodes)
    raise UsageError(
        f"search.executor: no node of the cluster has {cpus} CPUs and {gpus:g} GPUs for a task; "
        f"they have {most}."
    )
