"""A small reverse proxy: an app of this machine below a path."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_OWN = ("connection", "accept-encoding", "transfer-encoding", "content-length")


@contextmanager
def proxied(port: int, root: str, *, tells: bool) -> Iterator[tuple[str, set[str]]]:
    """The address of an app on a port below `root`, and what was asked outside of it.

    Args:
        port: Where the app listens.
        root: A path without a slash at its end.
        tells: Cut the path off, and say it in a header; else pass all of it on.
    """
    outside: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def answer(self) -> None:
            if not self.path.startswith(root):
                outside.add(self.path.split("?")[0])
                self.send_error(404)
                return
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length) if length else None
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _OWN}
            path = self.path
            if tells:
                headers["X-Forwarded-Prefix"] = root
                path = path.removeprefix(root) or "/"
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request(self.command, path, body, headers)
            answer = connection.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OWN:
                    self.send_header(name, value)
            self.end_headers()
            try:
                while part := answer.read1(65536):
                    self.wfile.write(part)
            except OSError:
                pass  # the page was closed

        do_GET = do_POST = do_DELETE = answer

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{root}/", outside
        server.shutdown()
