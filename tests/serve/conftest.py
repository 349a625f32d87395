import subprocess

import pytest

from tests.serve import exports
from tfkit.serve.server import Server
from tfkit.serve.settings import Settings


@pytest.fixture(scope="session")
def line(tmp_path_factory):
    """A models' folder with `line`, versions 1 (y = 2x + 0.5) and 2 (y = 3x + 0.5)."""
    home = tmp_path_factory.mktemp("models")
    (home / "line").mkdir()
    exports.write(home / "line" / "1", 2.0)
    exports.write(home / "line" / "2", 3.0)
    return home


@pytest.fixture(scope="session")
def server(line):
    """A running server of `line`, by its latest version."""
    with Server(Settings(path=line, rest_port=0, grpc_port=0, poll_seconds=0.1)) as running:
        yield running


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A folder with a self-signed certificate for 127.0.0.1: cert.pem, key.pem and both.pem."""
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 "
        "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    key, cert = ((folder / name).read_text() for name in ("key.pem", "cert.pem"))
    (folder / "both.pem").write_text(key + cert)
    return folder


@pytest.fixture
def start():
    """Start servers that end with the test: start(path=…, …) -> Server."""
    running = []

    def begin(**settings):
        settings = {"rest_port": 0, "grpc_port": 0, "poll_seconds": 0.1, **settings}
        server = Server(Settings(**settings))
        running.append(server)
        server.start()
        return server

    yield begin
    for server in running:
        server.stop()
