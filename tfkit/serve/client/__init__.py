"""A client of the REST that `tfkit serve` and TensorFlow Serving speak; it needs no TensorFlow."""

from tfkit.serve.client.models import Client
from tfkit.serve.client.sending import ServerRefused, ServerUnreachable

__all__ = ["Client", "ServerRefused", "ServerUnreachable"]
