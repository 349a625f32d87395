"""Signals: the first lets what runs come to its end, the second does not wait for it."""

import signal
import subprocess
import sys
import textwrap

import pytest

SCRIPT = """
import threading, time
from tfkit.serve import running

class Fake:
    settings = None

    def __init__(self, settings):
        self.interrupted = threading.Event()

    def __enter__(self):
        print("loading", flush=True)
        {loading}
        return self

    def __exit__(self, *_):
        print("stopping", flush=True)
        {stopping}

    def interrupt(self):
        self.interrupted.set()

    def ready_line(self):
        return {{"models": []}}

running.Server = Fake
running.run(None, as_json=True)
print("ended", flush=True)
"""


@pytest.fixture
def process():
    children = []

    def begin(loading="pass", stopping="pass"):
        code = textwrap.dedent(SCRIPT).format(loading=loading, stopping=stopping)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        child = subprocess.Popen([sys.executable, "-c", code], text=True, **pipes)
        children.append(child)
        assert child.stdout.readline() == "loading\n"
        return child

    yield begin
    for child in children:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_ends_a_server_in_order(process, number):
    child = process()
    assert child.stdout.readline() == '{"models": []}\n'
    child.send_signal(number)
    out, _ = child.communicate(timeout=20)
    assert out == "stopping\nended\n" and child.returncode == 0


def test_a_signal_while_loading_interrupts_it_and_nobody_is_told_that_it_is_ready(process):
    child = process(loading="assert self.interrupted.wait(20)")
    child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=20)
    assert out == "stopping\nended\n" and child.returncode == 0


def test_a_second_signal_ends_it_at_once(process):
    child = process(stopping="time.sleep(60)")
    assert child.stdout.readline() == '{"models": []}\n'
    child.send_signal(signal.SIGTERM)
    assert child.stdout.readline() == "stopping\n"
    child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=20)
    assert out == "" and child.returncode == 128 + signal.SIGTERM
