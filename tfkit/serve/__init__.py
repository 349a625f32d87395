"""The server: an export answers like TensorFlow Serving, over REST and gRPC; and its client."""

from tfkit.lazy import lazy_exports

_LAZY = {
    "Client": "client",
    "ServerRefused": "client",
    "ServerUnreachable": "client",
    "Server": "server",
}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY)
