"""A worker of the executor `local`: reads tasks from its owner, does them, tells what became of
them. Started as `python -m tfkit.search.executors.worker FD`.
"""

import os
import queue
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection


class Line:
    """The line to the owner. When the owner is gone, so is this process: whoever takes the search
    up next finds the checkpoint, and must not find it changing.
    """

    def __init__(self, connection: Connection):
        self.connection = connection
        self.tasks, self.verdicts = queue.SimpleQueue(), queue.SimpleQueue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        """Sort what arrives."""
        try:
            while True:
                kind, content = self.connection.recv()
                (self.verdicts if kind == "verdict" else self.tasks).put(content)
        except (EOFError, OSError):
            os._exit(1)

    def say(self, kind: str, content=None) -> None:
        """Tell the owner."""
        try:
            self.connection.send((kind, content))
        except OSError:
            os._exit(1)

    def report(self, step: int, value: float) -> bool:
        """Tell how the running task does, and wait for whether it is to end."""
        self.say("report", (step, value))
        return self.verdicts.get()


def serve(line: Line) -> None:
    """Do one task after the other; None ends it."""
    from tfkit.search.work import Sources, perform

    sources = Sources()
    line.say("ready")
    while (task := line.tasks.get()) is not None:
        try:
            line.say("outcome", perform(task, sources, line.report))
        except Exception as error:  # what every other task would meet too
            line.say("stop", (error, traceback.format_exc()))


def main(descriptor: int) -> None:
    """Serve the owner at the other end of the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's, who lets go of the line
    serve(Line(Connection(descriptor)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
