"""`tfkit serve`: run a server until a signal, and say where it answers."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time

from tfkit.serve.server import Server
from tfkit.serve.settings import Settings

# Seconds. A signal that the system hands to one of TensorFlow's threads wakes no wait of this one.
_LOOK = 0.2


def run(settings: Settings, *, as_json: bool = False, quiet: bool = False) -> None:
    """Serve until SIGTERM or Ctrl-C; a second one ends it at once.

    Args:
        settings: of the server.
        as_json: print one JSON line when ready, instead of text.
        quiet: print nothing but that, and errors.
    Raises: TfkitError where it cannot start.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING if quiet else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    for noisy in ("uvicorn", "uvicorn.error", "absl", "tensorflow"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    server = Server(settings)
    ended: list[int] = []  # no Event: a handler may interrupt its very wait, and would hang

    def end(number: int, frame: object) -> None:
        if ended:
            os._exit(128 + number)  # at once: threads that compute would be waited for
        ended.append(number)
        server.interrupt()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with server:
            if not ended:
                _announce(server, as_json, quiet)
            while not ended:
                time.sleep(_LOOK)
            if not quiet:
                print("answering what is in flight, then stopping", file=sys.stderr)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce(server: Server, as_json: bool, quiet: bool) -> None:
    if as_json:
        print(json.dumps(server.ready_line()), flush=True)
        return
    if quiet:
        return
    scheme, host = ("https" if server.settings.ssl else "http"), server.settings.host
    for model in server.ready_line()["models"]:
        print(f"model  {model['name']} {model['version']}")
    where = f"{scheme}://{f'[{host}]' if ':' in host else host}:{server.rest_port}"
    print(f"REST   {where}/v1/models/NAME:predict")
    print(f"gRPC   {host}:{server.grpc_port}")
    print(f"page   {where}/", flush=True)
