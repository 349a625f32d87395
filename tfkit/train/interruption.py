"""Ends that are not the recipe's fault: a signal, a full disk, a folder that cannot be written."""

import contextlib
import errno
import signal
import threading

from tfkit.errors import TfkitError

DISK = {
    errno.ENOSPC: "there is no space left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "permission was denied",
    errno.EPERM: "permission was denied",
    errno.EROFS: "the file system is read-only",
}


@contextlib.contextmanager
def interruptible():
    """Make SIGTERM end the work as Ctrl-C does; only the main thread can catch signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def disk_error(error: OSError, place) -> TfkitError:
    """One sentence for an error of the file system."""
    reason = DISK.get(error.errno, error.strerror or str(error))
    return TfkitError(f"{error.filename or place}: could not be written or read, {reason}.")


@contextlib.contextmanager
def in_one_sentence(place):
    """Turn errors of the file system into one sentence each."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, place) from error
