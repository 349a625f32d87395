"""An HTTP server that answers what a test tells it, and remembers what it was asked."""

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

from tfkit.serve import Client

DTYPES = {"float32": "DT_FLOAT", "float64": "DT_DOUBLE", "float16": "DT_HALF"}


@contextlib.contextmanager
def stand_in(answer, port=0):
    """A server at `.url`; `answer(method, path, body)` gives (status, text, headers)."""
    asked, connections = [], []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            record = SimpleNamespace(method=self.command, path=self.path, body=body.decode())
            asked.append(record)
            record.headers = dict(self.headers)
            answered = answer(self.command, self.path, record)
            if answered is None:  # the connection breaks without a word
                self.close_connection = True
                return
            status, text, headers = answered
            data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

        def setup(self):
            super().setup()
            connections.append(self.connection)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", asked=asked)
    finally:
        server.shutdown()
        server.server_close()
        for connection in connections:  # those that are kept alive would be answered on
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def tensor(dtype, shape):
    """A tensor's info as `GET …/metadata` writes it; None is a free size, no shape a free rank."""
    if shape is None:
        form = {"dim": [], "unknown_rank": True}
    else:
        sizes = [str(-1 if size is None else size) for size in shape]
        form = {"dim": [{"size": size, "name": ""} for size in sizes], "unknown_rank": False}
    word = DTYPES.get(dtype, f"DT_{dtype.upper()}")
    return {"dtype": word, "tensor_shape": form, "name": "x:0"}


def metadata(signatures, version=1, model="m"):
    """What `GET …/metadata` answers: {name: ({input: (dtype, shape)}, {output: …})} in."""
    described = {
        name: {
            "inputs": {key: tensor(*value) for key, value in inputs.items()},
            "outputs": {key: tensor(*value) for key, value in outputs.items()},
            "method_name": "tensorflow/serving/predict",
        }
        for name, (inputs, outputs) in signatures.items()
    }
    spec = {"name": model, "signature_name": "", "version": str(version)}
    return {
        "model_spec": spec,
        "metadata": {"signature_def": {"signature_def": described}},
    }


class ModelServer:
    """Answers metadata, status and `:predict` of one model as TF Serving does.

    Args:
        signatures: as `metadata` takes them.
        outputs: the text of the answer's "outputs", or a function of the parsed body to that.
    """

    def __init__(self, signatures, outputs="0", version=1):
        self.signatures, self.outputs, self.version = signatures, outputs, version

    def __call__(self, method, path, request):
        if path.endswith("/metadata"):
            return 200, json.dumps(metadata(self.signatures, self.version)), {}
        if method == "GET":
            status = {"error_code": "OK", "error_message": ""}
            found = {"version": str(self.version), "state": "AVAILABLE", "status": status}
            return 200, json.dumps({"model_version_status": [found]}), {}
        text = self.outputs
        if callable(text):
            text = text(json.loads(request.body))
        return 200, '{"outputs": ' + text + "}", {}


def answer_to(signatures, text, inputs, **asked):
    """(arrays of the answer, the body that was sent), of a server that answers `text`."""
    with stand_in(ModelServer(signatures, text)) as server, Client(server.url) as client:
        return client.predict("m", inputs, **asked), json.loads(server.asked[-1].body)
