"""What goes wrong with a request, in the canonical codes that gRPC and TF Serving's REST share."""

from tfkit.errors import TfkitError

# TF Serving's own table, model_servers/http_server.cc; what it lacks is 500
HTTP_STATUS = {
    "OK": 200,
    "CANCELLED": 499,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "UNAUTHENTICATED": 401,
}

# google.rpc.Code, which gRPC, TensorFlow and TF Serving's status messages share
CODES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS "
    "PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED "
    "INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED"
).split()
NUMBERS = {code: number for number, code in enumerate(CODES)}


# of a message; gRPC carries it in a header, percent-encoded, and clients take 8 KiB of those
_MOST_BYTES = 2000


class RequestError(TfkitError):
    """A request that gets no answer but this error.

    Args:
        code: canonical, such as "INVALID_ARGUMENT".
        message: as TF Serving would put it. It may quote the request: what is no Unicode in it is
            replaced, and of what is too long the middle is left out.
        status: HTTP's, where it is not the one of the code (413 for a body that is too large).
    """

    def __init__(self, code: str, message: str, status: int | None = None):
        text = message.encode("utf-8", "replace")
        if len(text) > _MOST_BYTES:
            text = text[: _MOST_BYTES // 2] + b" ... " + text[-_MOST_BYTES // 2 :]
        super().__init__(text.decode("utf-8", "ignore"))
        self.code = code
        self.status = status or HTTP_STATUS.get(code, 500)


def code_of(error: Exception) -> str:
    """The canonical code of any exception: a request's, TensorFlow's, or UNKNOWN."""
    if isinstance(error, RequestError):
        return error.code
    number = getattr(error, "error_code", None)
    return CODES[number] if isinstance(number, int) and number in range(len(CODES)) else "UNKNOWN"
