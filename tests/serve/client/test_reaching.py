"""Where a server is and what opens it: what is refused, and what is offered instead."""

import subprocess

import pytest

from tfkit.errors import DataMissing, UsageError
from tfkit.serve.client.reaching import checked_url, tls

CURES = [
    ("localhost:8501", "did you mean http://localhost:8501?"),
    ("127.0.0.1:8501/", "did you mean http://127.0.0.1:8501?"),
    ("models.example.org/below", "did you mean http://models.example.org/below?"),
    ("localhost:8501/v1", "did you mean http://localhost:8501?"),
    ("http://h:8501/v1", "the path /v1… is added to it; did you mean http://h:8501?"),
    ("https://h/a/v1/models/m:predict?x=1", "did you mean https://h/a?"),
    ("http://h:port", "expected such as http://127.0.0.1:8501"),
    ("http://h:8501/?a=b", "expected such as"),
    ("http://a host:8501", "expected such as"),
    ("ftp://h", "expected such as"),
    ("", "expected such as"),
]


@pytest.mark.parametrize("url, words", CURES)
def test_an_address_that_is_none_comes_back_with_the_one_that_was_meant(url, words):
    with pytest.raises(UsageError) as caught:
        checked_url(url)
    assert words in str(caught.value)


@pytest.mark.parametrize("url", ["http://h", "https://h:1/v10/v1a", "http://[::1]:8501"])
def test_blanks_and_slashes_around_an_address_are_taken_off(url):
    assert checked_url(f" {url}/\n") == checked_url(url) == url


@pytest.fixture
def bad(certificate, tmp_path):
    """PEM files that are of no use, by what is wrong with them."""
    subprocess.run(
        ["openssl", "rsa", "-aes256", "-passout", "pass:secret", "-in", certificate / "key.pem"]
        + ["-out", tmp_path / "locked.pem"],
        check=True,
        capture_output=True,
    )
    (tmp_path / "empty.pem").write_text("")
    (tmp_path / "text.pem").write_text("no certificate")
    with open(tmp_path / "locked.pem", "a") as file:
        file.write((certificate / "cert.pem").read_text())
    return tmp_path


def test_certificates_of_no_use_are_named(certificate, bad):
    with pytest.raises(DataMissing, match="no file nowhere.pem"):
        tls("https://h", "nowhere.pem", None)
    for name in ("empty", "text"):
        with pytest.raises(UsageError, match=f"{name}.pem: expected certificates of authorities"):
            tls("https://h", bad / f"{name}.pem", None)
    lonely = certificate / "cert.pem"
    for file in (bad / "empty.pem", bad / "text.pem", bad / "locked.pem", lonely):
        with pytest.raises(UsageError, match=f"{file.name}: expected a certificate and its key"):
            tls("https://h", certificate / "cert.pem", file)
    assert tls("HTTPS://h", lonely, certificate / "both.pem").cert_store_stats()["x509"] == 1
    assert tls("http://h", None, None) is None


@pytest.mark.parametrize("option", ["ca_file", "cert_file"])
def test_certificates_mean_nothing_to_http(option, certificate):
    files = {"ca_file": None, "cert_file": None, option: certificate / "both.pem"}
    with pytest.raises(UsageError, match=f"--{option.replace('_', '-')} is about https; http://h"):
        tls("http://h", **files)
