"""The thread whose loop talks REST and gRPC."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from tfkit.errors import TfkitError
from tfkit.serve import http_server
from tfkit.serve.grpc_service import GrpcSide
from tfkit.serve.http_app import application
from tfkit.serve.parts import Parts

_LOOK = 0.1  # seconds between two looks whether the models are ready


class Network:
    """Both protocols of one server.

    Args:
        parts: of the server.
    """

    def __init__(self, parts: Parts):
        self._parts = parts
        self.rest_port = self.grpc_port = 0
        self._thread = threading.Thread(target=self._talk, name="network", daemon=True)
        self._listening = threading.Event()
        self._ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: Exception | None = None

    @property
    def started(self) -> bool:
        """Whether it was ever started."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Listen on both ports, whose numbers are known from then on.

        Raises: TfkitError where a port is taken or TLS cannot be set up.
        """
        self._thread.start()
        self._listening.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def stop(self) -> None:
        """Take no more requests and answer those in flight; does nothing a second time."""
        if self._thread.is_alive() and self._listening.wait():
            with suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join()

    def _talk(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            self._failure = error
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        settings, grpc = self._parts.settings, GrpcSide(self._parts)
        http = http_server.server(application(self._parts), settings)
        listeners = http_server.listen(settings.host, settings.rest_port)
        try:
            self.grpc_port = await grpc.listen()
        except RuntimeError as error:
            for listener in listeners:
                listener.close()
            await grpc.stop(0)
            raise TfkitError(
                f"serve: {settings.host}:{settings.grpc_port} cannot be listened on; "
                "choose another --grpc-port, or 0 for any free one."
            ) from error
        self.rest_port = listeners[0].getsockname()[1]
        await grpc.start()
        serving = asyncio.create_task(http.serve(sockets=listeners))
        watching = asyncio.create_task(self._watch(grpc))
        while not http.started and not serving.done():
            await asyncio.sleep(0.01)
        if not serving.done():
            self._listening.set()
            ending = asyncio.create_task(self._ending.wait())
            await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        http.should_exit = True
        # both, before the loop may end: whoever were left would wait for it for ever
        await asyncio.gather(serving, grpc.stop(settings.grace_seconds))

    async def _watch(self, grpc: GrpcSide) -> None:
        """Keep gRPC's health service true."""
        said = None
        while True:
            ready = self._parts.models.ready
            if ready != said:
                await grpc.report(ready)
                said = ready
            await asyncio.sleep(_LOOK)
