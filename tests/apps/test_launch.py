import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request

import pytest
from gsr_apps.studio.launch import bind, launch

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
