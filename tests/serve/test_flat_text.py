import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfkit.errors import DataMissing, UsageError
from tfkit.export.batching import Batching
from tfkit.serve.flat_text import (
    Monitoring,
    Ssl,
    read_batching,
    read_monitoring,
    read_ssl,
    write_batching,
    write_monitoring,
    write_ssl,
)
from tfkit.serve.text_proto import parse, quoted

KEY, CERT = "-----BEGIN PRIVATE KEY-----\nabc\n", '-----BEGIN CERTIFICATE-----\n\\"é"\n'


def file_of(tmp_path, text):
    file = tmp_path / "x.config"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_example_of_tf_servings_guide(tmp_path):
    text = """
    max_batch_size { value: 128 }
    batch_timeout_micros { value: 0 }
    max_enqueued_batches { value: 1000000 }
    num_batch_threads { value: 8 }
    """
    assert read_batching(file_of(tmp_path, text)) == Batching(128, 0, 1000000, 8)


def test_every_way_to_write_it(tmp_path):
    text = """# a comment { with: marks
    max_batch_size: < value: 0x100, >;   num_batch_threads{value:2}
    allowed_batch_sizes: 1 allowed_batch_sizes: [ 010, 32 ]; allowed_batch_sizes: []
    enable_large_batch_splitting { value: t }, pad_variable_length_inputs: False
    thread_pool_name { value: 'a' "b\\x21\\n" # and on
    "\\303\\251\\u00e9" } batch_timeout_micros {}"""
    expected = Batching(256, 0, 10, 2, (1, 8, 32), True, thread_pool_name="ab!\néé")
    assert read_batching(file_of(tmp_path, text)) == expected


def test_an_empty_file_is_all_defaults(tmp_path):
    assert read_batching(file_of(tmp_path, "# nothing")) == Batching()
    assert read_monitoring(file_of(tmp_path, "")) == Monitoring(False)


@pytest.mark.parametrize(
    "options",
    [
        Batching(num_batch_threads=3),
        Batching(64, 5, 20, 4, (1, 8, 16), True, 16, 'a "b"\\', False),
        Batching(64, enable_large_batch_splitting=False),
        Monitoring(True, "/x"),
        Monitoring(False),
        Ssl(KEY, CERT),
        Ssl(KEY, CERT, CERT, True),
    ],
)
def test_what_is_written_is_read_back(tmp_path, options):
    write, read = {
        Batching: (write_batching, read_batching),
        Monitoring: (write_monitoring, read_monitoring),
        Ssl: (write_ssl, read_ssl),
    }[type(options)]
    assert read(file_of(tmp_path, write(options))) == options


def test_prometheus_path_has_tf_servings_default(tmp_path):
    found = read_monitoring(file_of(tmp_path, 'prometheus_config { enable: true path: "" }'))
    assert found == Monitoring(True, "/monitoring/prometheus/metrics")


BATCHING = {
    "\nmax_batch_sise { value: 1 }": (
        ":2:1: unknown key max_batch_sise of BatchingParameters; did you mean max_batch_size"
        r"\? Allowed: max_batch_size, batch_timeout_micros, "
    ),
    "max_batch_size { valeu: 1 }": ":1:18: unknown key valeu of max_batch_size; did you mean value",
    "max_batch_size: 128": r":1:17: expected max_batch_size \{ value: … \}",
    "max_batch_size { value: 1.0 }": ":1:25: value must be an integer, got '1.0'",
    "max_batch_size { value: 1e2 }": "must be an integer, got '1e2'",
    "max_batch_size { value: 09 }": "must be an integer, got '09'",
    'max_batch_size { value: "1" }': "must be an integer, got '1'",
    "allowed_batch_sizes { value: 1 }": "allowed_batch_sizes must be an integer, got a message",
    "pad_variable_length_inputs: yes": "must be true or false, got 'yes'",
    "pad_variable_length_inputs: true": ":1: pad_variable_length_inputs: true is not supported",
    "thread_pool_name { value: x }": "must be a text in \" \", got 'x'",
    "\n\nmax_batch_size { value: 0 }": r":3: max_batch_size must be in \[1",
    "max_batch_size { }": ":1: max_batch_size must be in",
    "max_batch_size { value: -4 }": "max_batch_size must be in",
    "max_batch_size { value: 8 }\nallowed_batch_sizes: [2, 16]": ":2: allowed_batch_sizes must end",
    "max_batch_size { value: 1 }\nmax_batch_size { value: 2 }": ":2:1: max_batch_size is there twi",
    "max_batch_size { value: 1": ":1:26: expected a key or }, got the end of the file",
    "max_batch_size { value: 1 }}": ":1:28: expected a key, got }",
    "max_batch_size { value: 1 >": ":1:27: expected a key or }, got >",
    "allowed_batch_sizes: [1 2]": "expected ',' or '\\]', got 2",
    "allowed_batch_sizes 1": "expected ':' or a message in { }, got 1",
    "allowed_batch_sizes: ;": "expected a value, got ;",
    'thread_pool_name { value: "x': ":1:27: a text without its end",
    "max_batch_size { value: 1 } %": ":1:29: unexpected '%'",
    'thread_pool_name { value: "\\xff" }': ":1:27: a text with bytes that are no UTF-8",
    'thread_pool_name { value: "\\q" }': ":1:27: a text with an unknown escape",
    "a { " * 30: "expected at most 20 messages",
    "3: 4": "expected a key, got 3",
}


@pytest.mark.parametrize("text", BATCHING)
def test_refused_with_file_line_and_column(tmp_path, text):
    file = file_of(tmp_path, text)
    with pytest.raises(UsageError, match=BATCHING[text]) as raised:
        read_batching(file)
    assert str(raised.value).startswith(f"{file}:")


def test_monitoring_and_ssl_are_checked(tmp_path):
    with pytest.raises(UsageError, match=':1: path must begin with "/"'):
        read_monitoring(file_of(tmp_path, 'prometheus_config { path: "x" }'))
    with pytest.raises(
        UsageError, match=":1:1: unknown key prometheus of MonitoringConfig; did you mean prom"
    ):
        read_monitoring(file_of(tmp_path, "prometheus {}"))
    with pytest.raises(UsageError, match=":1: server_key must be the contents of a PEM file"):
        read_ssl(file_of(tmp_path, 'server_key: "/etc/key.pem"'))
    with pytest.raises(UsageError, match="server_cert must be the contents of a PEM"):
        read_ssl(file_of(tmp_path, f"server_key: {quoted(KEY)}"))
    with pytest.raises(UsageError, match="client_verify needs custom_ca"):
        read_ssl(file_of(tmp_path, write_ssl(Ssl(KEY, CERT)).replace("false", "true")))


def test_a_missing_file(tmp_path):
    with pytest.raises(DataMissing, match="cannot be read"):
        read_batching(tmp_path / "nowhere")


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs",))))
def test_any_text_survives_its_quotes(text):
    (field,) = parse(f"a: {quoted(text)}", "x")
    assert field.value.content == text


@given(st.text(alphabet="ab{}<>[]:;,#\"'\\\n 01-", max_size=60))
def test_no_text_does_worse_than_a_message(text):
    try:
        parse(text, "x")
    except UsageError as error:
        assert str(error).startswith("x:")


def test_the_same_as_protobufs_own_reader(tmp_path):
    """On a message of the same form whose definition is in a package."""
    from google.protobuf import text_format
    from google.protobuf.struct_pb2 import Value

    for written in (r'"a\tb\"\101\x41\u00e9"', "'it''s'", '"\\\\n" "x"', r"'\'\a'"):
        own = parse(f"string_value: {written}", "x")[0].value.content
        assert own == text_format.Parse(f"string_value: {written}", Value()).string_value


def test_they_are_read_without_tensorflow(tmp_path):
    file = file_of(tmp_path, write_batching(Batching(64)))
    code = (
        "import sys; from tfkit.serve.flat_text import read_batching; "
        f"read_batching({str(file)!r}); assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
