import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pytest
from gsr_apps.studio.launch import bind, launch, without_proxies
from helpers.checkout import environment

from gsr import GsrError


def test_a_port_in_use_is_passed_over_and_said(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with bind("127.0.0.1", port) as listener:
            assert port < listener.getsockname()[1] <= port + 20
    assert f"Port {port} is in use" in capsys.readouterr().err


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("no.such.host.invalid", 0)])
def test_impossible_addresses_are_refused(host, port):
    with pytest.raises(GsrError):
        bind(host, port)


def test_unknown_weights_are_refused():
    with pytest.raises(GsrError, match="unknown weights"):
        launch("nonesuch", port=0)


def test_a_missing_picture_is_refused(weights):
    with pytest.raises(GsrError, match="cannot be read"):
        launch(weights, "/no/such.png", port=0)


def broken(address: str, request: bytes) -> bytes:
    """The first line of the answer to what is hardly HTTP."""
    place = urllib.parse.urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        connection.sendall(request)
        return connection.recv(1000).split(b"\r\n")[0]


def test_broken_requests_and_pages_that_are_cut_off_are_no_error(weights, photo):
    command = [sys.executable, "-m", "gsr", "app", str(photo), "-m", str(weights)]
    with subprocess.Popen(
        [*command, "--port", "0", "--no-open"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as app:  # fmt: skip
        address = app.stdout.readline().split()[-1]
        chunked = b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        for beginning in (b"GET /", b"POST /studio/open", b"BREW /", b"DELETE /x"):
            for chunk in (b"zz\r\n", b"fffffffffffffffffffff\r\n", b"5\r\nabc"):
                first = broken(address, beginning + chunked + chunk)
                assert first.startswith(b"HTTP/1.1 4"), first
        url = f"{address.rstrip('/')}/gradio_api/heartbeat/1"
        with urllib.request.urlopen(url, timeout=30) as stays_open:
            assert stays_open.status == 200
            app.send_signal(signal.SIGINT)
            said = app.communicate(timeout=60)[1]
    assert "Traceback" not in said
    assert "ERROR" not in said


PROXIES = {
    "ALL_PROXY": "socks5://127.0.0.1:1080",
    "https_proxy": "socks5h://127.0.0.1:1080",
    "HTTP_PROXY": "nonsense://[",
    "no_proxy": "localhost",
}


@pytest.mark.parametrize("name", PROXIES)
def test_no_proxy_is_asked_for_an_app_of_this_machine(monkeypatch, name):
    monkeypatch.setenv(name, PROXIES[name])
    with without_proxies():
        assert [known for known in os.environ if known.lower().endswith("_proxy")] == []
    assert os.environ[name] == PROXIES[name]


def test_it_starts_whatever_proxies_are_named_and_without_standard_output(weights, photo):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = f'exec "{sys.executable}" -m gsr app "{photo}" -m "{weights}" --port {port} --no-open'
    with subprocess.Popen(
        ["bash", "-c", f"{line} >&-"], env=environment(**PROXIES), stderr=subprocess.PIPE, text=True
    ) as app:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        answered = False
        while not answered and app.poll() is None:
            try:
                with direct.open(f"http://127.0.0.1:{port}/studio/start", timeout=60) as answer:
                    answered = answer.status == 200
            except OSError:
                time.sleep(0.1)
        app.send_signal(signal.SIGINT)
        said = app.communicate(timeout=60)[1]
    assert answered, said
    assert said == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_it_encodes_and_imports_it_ends_quietly(weights, photo, number):
    script = f"""
import os, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "gradio.blocks":
            os.kill(os.getpid(), {int(number)})
sys.meta_path.insert(0, Finder())
from gsr.cli import run
from gsr.cli.stopping import leave
leave(run(["app", {str(photo)!r}, "-m", {str(weights)!r}, "--port", "0", "--no-open"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")
