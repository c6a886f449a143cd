"""Requests to every route: wrong types, sizes, hosts, origins, paths, files and bodies."""

import json
import random
import warnings
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gsr_apps.studio.server import create_app
from gsr_apps.studio.studio import Studio

from gsr.images import load

from . import documents
from .cases import chance
from .documents import ODD, changed
from .pictures import picture
from .serving import Call

JSON = ("Content-Type", "application/json")
GRADIO = (
    "run/encode", "run/render", "run/explain", "call/encode", "call/render", "call/v2/encode",
    "api/encode", "queue/join", "upload", "upload_progress", "reset", "cancel",
    "component_server", "stream/a/b/c", "heartbeat/x", "queue/data", "info", "app_id",
    "startup-events", "dev/reload", "deep_link", "file=/etc/passwd", "file/../../etc/passwd",
    "process_recording", "proxy=http://127.0.0.1:1/", "vibe-code", "custom_component/a/b/c/d.js",
)  # fmt: skip
OTHERS = (
    "/", "/config", "/theme.css", "/manifest.json", "/openapi.json", "/docs", "/redoc",
    "/monitoring", "/monitoring/summary", "/login", "/logout", "/robots.txt", "/token",
    "/static/../../etc/passwd", "/viewer/../server.py", "/viewer/viewer.js", "/page/studio.js",
    "/demo/cat.png", "/demo/%2e%2e/demos.py", "/viewer/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/svelte/x", "/assets/x", "/pwa_icon/9",
)  # fmt: skip
ENDLESS = ("queue/data", "heartbeat", "dev/reload", "upload_progress", "/sweep")
HOSTS = (
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example:80",
    "[::1",
    "",
    "a" * 5000,
    "evil.example:80",
)
ORIGINS = (
    "http://evil.example",
    "null",
    "https://127.0.0.1",
    "http://localhost.evil.example",
    "file://",
)
WORDS = (
    "", "0", "1", "-1", "0.5", "2", "3.7", "1e308", "-1e308", "nan", "inf", "9" * 400, "1e-300",
    "x", "true", "None", "[]", "1,2,3,4", "0,0,4,4", "nan,0,1,1", "%00", "é", "<script>",
    "../../etc/passwd", "a" * 3000, "gsr", "bicubic", "lanczos", "result", "gaussians",
    "direction", "png", "webp", "jpeg", "mp4", "gif",
)  # fmt: skip
_GOOD = {
    "x": "1", "y": "1", "width": "4", "height": "4", "columns": "16", "rows": "16", "scale": "2",
    "method": "gsr", "format": "png", "view": "0,0,4,4", "name": "a.png", "column": "1",
    "row": "1", "limit": "50", "start": "1", "stop": "2", "seconds": "0.2", "fps": "10",
    "shrink": "1", "layer": "result", "color": "direction",
}  # fmt: skip


@cache
def routes() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Method, path and names of parameters of every route of the studio."""
    app = create_app(Studio(documents.model(), load(documents.photo())))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of several methods with one function
        schema = app.openapi()
    return tuple(
        (
            method.upper(),
            path,
            tuple(p["name"] for p in about.get("parameters", ()) if p["in"] == "query"),
        )
        for path, methods in sorted(schema["paths"].items())
        for method, about in sorted(methods.items())
    )


def call(seed: int, index: int, secret: Path) -> Call:
    """The request of an index.

    Args:
        seed: Of all draws.
        index: Of this one.
        secret: A picture that is nobody's business, for requests that ask for it.
    """
    g = chance(seed, "calls", index)
    return (_question, _question, _question, _body, _body, _files, _gradio, _foreign, _broken)[
        index % 9
    ](g, secret)


def _question(g: random.Random, secret: Path) -> Call:
    """A route of ours with good and odd values."""
    method, path, names = g.choice(routes())
    odd = g.choice((0, 0.2, 0.6))
    query = [
        f"{name}={quote(_value(name, g, odd), safe='%,')}"
        for name in names
        if g.random() < (0.9 if name in _GOOD else 0.3)
    ]
    if g.random() < 0.1:
        query *= 2
    if method in ("PUT", "PATCH") or g.random() < 0.05:
        method = g.choice(("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"))
    target = path.replace(
        "{key}", g.choice(("{key}",) * 6 + ("nokey", "a" * 2000, "..", "%00", "%ff"))
    )
    target = target.replace("{job}", g.choice(("job1", "j" * 900))).replace("{rest}", "x/y")
    body = g.choice((b"", picture(1, g.randrange(10_000)).data)) if method == "POST" else b""
    return Call(
        f"{path}", method, target + "?" + "&".join(query), body=body, endless=path.endswith("sweep")
    )


def _value(name: str, g: random.Random, odd: float) -> str:
    return g.choice(WORDS) if name not in _GOOD or g.random() < odd else _GOOD[name]


def _body(g: random.Random, secret: Path) -> Call:
    """Edits, pictures and fields as bodies, sound and not; JSON that is none, deep or large."""
    way = g.randrange(5)
    if way == 0:
        edits = documents.edits_file(g).data
        return Call("edits", "POST", "/studio/fields/{key}/edit", (JSON,), edits)
    if way == 1:
        deep = b"[" * g.choice((10, 2000, 200_000))
        large = (
            b'{"edits":['
            + b'{"kind":"soft"},' * g.choice((10, 1001, 60_000))
            + b'{"kind":"soft"}]}'
        )
        odd = json.dumps({"edits": g.choice(ODD), "replace": g.choice(ODD)}).encode()
        body = g.choice((deep, large, odd, b"{", b"\xff\xfe", b"null", b"NaN"))
        return Call("edits, odd", "POST", "/studio/fields/{key}/edit", (JSON,), body)
    if way == 2:
        body = json.dumps({"edits": changed(documents.EDITS["edits"], g)}).encode()
        return Call("edits, values", "POST", "/studio/fields/{key}/edit", (JSON,), body)
    if way == 3:
        return Call(
            "field files", "POST", "/studio/open-field?name=a.gsf", (), documents.field_file(g).data
        )
    target = g.choice(
        ("/studio/open?name=a.png", "/studio/open?shrink=2", "/studio/fields/{key}/truth")
    )
    return Call("pictures", "POST", target, (), picture(1, g.randrange(10_000)).data)


def _file_data(g: random.Random, secret: Path) -> Any:
    """What Gradio calls a file, of a path that nobody uploaded."""
    paths = (
        str(secret), str(secret.with_name("gone.png")), "/dev/zero", "/dev/stdin",
        "/proc/self/environ", f"{secret.parent}/../{secret.parent.name}/{secret.name}",
        "../" * 9 + str(secret), f"file://{secret}", str(secret.with_name("link.png")),
        str(secret.parent), f"//{secret}", "~/.bashrc", "\0", "a" * 5000,
    )  # fmt: skip
    data: dict[str, Any] = {"path": g.choice(paths), "meta": {"_type": "gradio.FileData"}}
    if g.random() < 0.3:
        data["url"] = g.choice(
            (f"file://{secret}", "http://127.0.0.1:1/a.png", str(secret), "gradio:")
        )
    if g.random() < 0.3:
        data |= {
            "orig_name": "a.gsf",
            "size": g.choice(ODD),
            "mime_type": "image/png",
            "is_stream": True,
        }
    return changed(data, g) if g.random() < 0.15 else data


def _files(g: random.Random, secret: Path) -> Call:
    """Paths of others through every Gradio route that takes a file."""
    route = g.choice(
        ("run/encode", "call/encode", "call/v2/encode", "queue/join", "queue/join", "api/encode")
    )
    file = _file_data(g, secret)
    data: Any = g.choice(
        ([file], [[file, file], "scale", "2", "png", False], [[file]], {"file": file})
    )
    body: dict[str, Any] = {"data": data, "session_hash": "x"}
    if route == "queue/join":
        body["fn_index"] = g.randrange(8)
    if route == "call/v2/encode" and isinstance(data, dict):
        body = data
    at = "/gradio_api/" + route
    return Call(f"files: {route}", "POST", at, (JSON,), json.dumps(body).encode(), foreign=True)


def _gradio(g: random.Random, secret: Path) -> Call:
    """Gradio's own routes, and whatever else is mounted."""
    if g.random() < 0.3:
        return Call("other pages", g.choice(("GET", "GET", "HEAD", "POST")), g.choice(OTHERS))
    route = g.choice(GRADIO)
    endless = any(word in route for word in ENDLESS)
    if g.random() < 0.4 or endless:
        target = f"/gradio_api/{route}?session_hash=x&upload_id={g.choice(WORDS[:12])}"
        return Call(f"gradio: {route[:16]}", "GET", target, endless=endless)
    if route == "upload":
        return _upload(g)
    body: Any = {"data": g.choice(ODD), "fn_index": g.choice(ODD), "session_hash": g.choice(ODD)}
    if g.random() < 0.5:
        data = [g.choice(("{key}", *ODD)), g.choice((2, *ODD)), g.choice((None, *ODD)), "result"]
        body = {"data": data[: g.choice((0, 3, 4))]}
    text = json.dumps(body).encode() if g.random() < 0.9 else b"[" * 50_000
    return Call(f"gradio: {route[:16]}", "POST", f"/gradio_api/{route}", (JSON,), text)


def _upload(g: random.Random) -> Call:
    names = (
        "a.png",
        "../../../../tmp/x.png",
        "/etc/x.png",
        "a\0b.png",
        "é" * 200,
        "",
        ".",
        'a.png"; x="y',
    )
    head = (
        f'--b\r\nContent-Disposition: form-data; name="files"; filename="{g.choice(names)}"\r\n\r\n'
    )
    end = g.choice(("\r\n--b--\r\n", "\r\n--b\r\n", ""))
    body = (head + "x" * g.choice((0, 10, 100_000)) + end) * g.choice((1, 1, 30))
    kind = g.choice(
        (
            "multipart/form-data; boundary=b",
            "multipart/form-data",
            "multipart/form-data; boundary=" + "b" * 300,
        )
    )
    return Call(
        "gradio: upload", "POST", "/gradio_api/upload", (("Content-Type", kind),), body.encode()
    )


def _foreign(g: random.Random, secret: Path) -> Call:
    """A sound request that another site's page makes, or that came by another site's name."""
    if g.random() < 0.5:
        headers: tuple[tuple[str, str], ...] = (("Host", g.choice(HOSTS)),)
    else:
        headers = (("Origin", g.choice(ORIGINS)),)
    sound = picture(1, 10 * g.randrange(100)).data
    form = ("Content-Type", "multipart/form-data; boundary=b")
    about = b'Content-Disposition: form-data; name="files"; filename="a.png"'
    upload = b"--b\r\n" + about + b"\r\n\r\nx\r\n--b--\r\n"
    method, target, more, body = g.choice(
        (
            ("GET", "/studio/start", (), b""),
            ("GET", "/studio/fields/{key}", (), b""),
            ("GET", "/studio/fields/{key}/export?scale=1", (), b""),
            ("GET", "/config", (), b""),
            ("POST", "/studio/open?name=a.png", (("Content-Type", "text/plain"),), sound),
            ("POST", "/gradio_api/upload", (form,), upload),
            ("POST", "/gradio_api/run/explain", (JSON,), b'{"data":["{key}",1,1,4]}'),
            (
                "POST",
                "/gradio_api/queue/join",
                (JSON,),
                b'{"data":[],"fn_index":0,"session_hash":"x"}',
            ),
        )
    )
    return Call("foreign " + headers[0][0], method, target, headers + more, body, foreign=True)


def _broken(g: random.Random, secret: Path) -> Call:
    """What is hardly HTTP: lengths that lie, any targets and headers, bodies that do not end."""
    route = g.choice(
        (
            "/studio/open",
            "/studio/fields/{key}/edit",
            "/gradio_api/upload",
            "/gradio_api/run/encode",
        )
    )
    length = g.choice(("-1", "x", "99999999999", "1e9", "5", "0"))
    chunked = (("Transfer-Encoding", "chunked"), JSON)
    ways = (
        (route, (("Content-Length", length), JSON), b"0123456789"),
        (route, chunked, g.choice((b"zz\r\n", b"5\r\nabc", b"0\r\n\r\n", b"ffffffffffff\r\n"))),
        (
            route,
            (
                (
                    "Content-Type",
                    g.choice(("", "x", "application/json; charset=utf-99", "a/b" * 900)),
                ),
            ),
            b"{}",
        ),
        (route + "?" + "a=b&" * g.choice((10, 5000)), (JSON,), b"{}"),
        (
            g.choice(("*", "", "http://evil.example/", "//", "/%", "/" + "a/" * 3000, "/\x7f")),
            (),
            b"",
        ),
        (route, tuple((f"X-{n}", "y" * 100) for n in range(g.choice((3, 300)))), b""),
        (route, (("Content-Encoding", "gzip"), JSON), b"\x1f\x8b\x08" + bytes(20)),
        (route, (("Range", "bytes=" + "0-," * 900), ("Cookie", "a" * 9000)), b""),
    )
    target, headers, body = g.choice(ways)
    return Call("broken HTTP", g.choice(("POST", "POST", "GET", "BREW")), target, headers, body)
