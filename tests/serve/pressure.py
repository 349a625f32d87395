"""Many requests at once, and a model that takes its time."""

import threading
import time


class Slow:
    """Makes `line` take its time."""

    def __init__(self, server, seconds):
        self.servable = server.models.find("line")
        self.real, self.seconds = self.servable.predict, seconds

    def __enter__(self):
        def slowly(*given):
            time.sleep(self.seconds)
            return self.real(*given)

        self.servable.predict = slowly

    def __exit__(self, *_):
        del self.servable.predict


def at_once(count, function):
    found = [None] * count

    def one(index):
        found[index] = function()

    threads = [threading.Thread(target=one, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
