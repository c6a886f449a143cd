"""Only what was uploaded is read, whoever asks, by whichever route, and in whatever shape."""

import base64
import io
import os
import stat
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from gsr_apps.studio.demo import mount_demo
from gsr_apps.studio.guard import OURS, is_open
from gsr_apps.studio.people import COOKIE
from gsr_apps.studio.server import create_app
from gsr_apps.studio.studio import Studio
from helpers.requests import events, routes_of
from PIL import Image

from gsr.images import load, to_pil

REFUSED = "Only files that you uploaded here are read, for an hour; upload it again."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A private picture outside, and more that is not for reading."""
    folder = tmp_path_factory.mktemp("private")
    Image.new("RGB", (9, 9)).save(folder / "private.png")
    (folder / "link.png").symlink_to(folder / "private.png")
    os.mkfifo(folder / "pipe.png")
    return folder


@pytest.fixture(scope="module")
def uploads_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def app(model, pixels, uploads_folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(uploads_folder))
        studio = Studio(model, load(to_pil(pixels)))
        yield mount_demo(create_app(studio), studio)


@pytest.fixture(scope="module")
def client(app):
    with TestClient(app) as client:
        yield client


def png(shade=90):
    out = io.BytesIO()
    Image.new("RGB", (12, 8), (shade, 0, 0)).save(out, "PNG")
    return out.getvalue()


def upload(client, name="mine.png", data=None):
    answer = client.post("/gradio_api/upload", files={"files": (name, data or png())})
    assert answer.status_code == 200, answer.text
    return answer.json()[0]


def file(path, **more):
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}} | more


def by_run(client, value, name="encode"):
    answer = client.post(f"/gradio_api/run/{name}", json={"data": [value]})
    return answer.status_code, answer.json()


def by_call(client, value):
    answer = client.post("/gradio_api/call/encode", json={"data": [value]})
    if answer.status_code != 200:
        return answer.status_code, answer.json()
    told = events(client, f"/gradio_api/call/encode/{answer.json()['event_id']}")
    return (200 if "event: complete" in told else 400), told


def by_queue(client, value):
    body = {"data": [value], "fn_index": 0, "session_hash": "me", "trigger_id": 1}
    answer = client.post("/gradio_api/queue/join", json=body)
    if answer.status_code != 200:
        return answer.status_code, answer.json()
    told = events(client, "/gradio_api/queue/data?session_hash=me")
    return (200 if '"success":true' in told else 400), told


def by_batch(client, value):
    body = {"data": [[value], "scale", "2", "png", False], "fn_index": 3, "session_hash": "you"}
    answer = client.post("/gradio_api/queue/join", json=body)
    if answer.status_code != 200:
        return answer.status_code, answer.json()
    told = events(client, "/gradio_api/queue/data?session_hash=you")
    return (200 if "1 of 1 pictures were made" in told else 400), told


ROUTES = {"run": by_run, "call": by_call, "queue": by_queue, "batch": by_batch}
OUTSIDE = [
    "{private}/private.png",
    "{private}/missing.png",
    "{private}/link.png",
    "{private}/pipe.png",
    "{private}",
    "/dev/zero",
    "/etc/passwd",
    "{uploads}/../private/private.png",
    "{upload}/../mine.png",
    "{upload}/",
    "/{upload}",
    "{uploads}",
    "{uploads}/missing.png",
    "https://example.org/a.png",
    "file:///etc/passwd",
    "data:image/png;base64," + base64.b64encode(png()).decode(),
    "relative.png",
    "",
    "\0",
    "a" * 4000,
]


@pytest.mark.parametrize("route", ROUTES)
def test_what_was_uploaded_is_read(client, route):
    status, told = ROUTES[route](client, file(upload(client)))
    assert status == 200, told


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_else_is_and_all_paths_get_one_answer(client, folder, uploads_folder, route, path):
    named = {"private": folder, "uploads": uploads_folder, "upload": upload(client)}
    before = there(uploads_folder)
    for key, value in named.items():
        path = path.replace("{" + key + "}", str(value))
    assert ROUTES[route](client, file(path)) == (403, {"error": REFUSED})
    assert there(uploads_folder) == before  # nothing was copied in


def there(folder):
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "gone"])
def test_an_upload_that_became_something_else_is_not_followed(client, folder, kind):
    path = Path(upload(client))
    path.unlink()
    if kind == "link":
        path.symlink_to(folder / "private.png")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    for route in ROUTES.values():
        assert route(client, file(path)) == (403, {"error": REFUSED})


@pytest.mark.parametrize(
    "shape",
    [
        lambda path: [file(path)],
        lambda path: {"file": file(path)},
        lambda path: {"value": file(path), "__type__": "update"},
        lambda path: {"video": file(path), "subtitles": [file(path)]},
        lambda path: str(path),
        lambda path: {"path": str(path)},
        lambda path: {"url": str(path), "meta": {"_type": "gradio.FileData"}},
        lambda path: {"path": {"path": str(path)}, "meta": {"_type": "gradio.FileData"}},
        lambda path: {"path": str(path), "meta": {"_type": "gradio.Other"}},
        lambda path: {"path": [str(path)], "meta": {"_type": "gradio.FileData"}},
    ],
)
def test_files_in_other_shapes_and_places_never_reach_gradio(client, folder, uploads_folder, shape):
    private = folder / "private.png"
    before = there(uploads_folder)
    for name, data in {
        "encode": [shape(private)],
        "render": ["id", None, shape(private), "result"],
        "explain": ["id", shape(private), 1, 1],
    }.items():
        answer = client.post(f"/gradio_api/run/{name}", json={"data": data})
        assert 400 <= answer.status_code < 500
        assert list(answer.json()) == ["error"]
        assert "private" not in answer.text
    assert there(uploads_folder) == before


@pytest.mark.parametrize(
    "more",
    [
        {"url": "/etc/passwd"},
        {"url": "http://127.0.0.1/x"},
        {"is_stream": True},
        {"orig_name": "../../x"},
        {"mime_type": "image/svg+xml", "size": -1},
    ],
)
def test_what_a_client_says_of_its_upload_does_not_matter(client, more):
    status, told = by_run(client, file(upload(client), **more))
    assert status == 200
    assert told["data"][0]["name"] == "mine.png"


def test_the_members_of_a_call_are_made_anew(client, folder):
    private = file(folder / "private.png")
    body = {"data": [file(upload(client))], "event_data": private, "state": private}
    body |= {"batched": True, "simple_format": True, "event_id": "x", "render_id": 3}
    assert client.post("/gradio_api/run/encode", json=body).status_code == 200
    twice = b'{"data": [%s], "data": ["again"]}' % str(private).replace("'", '"').encode()
    answer = client.post("/gradio_api/run/encode", content=twice)
    assert answer.status_code == 400


def test_an_upload_is_its_persons_alone(app, client):
    with TestClient(app, cookies={COOKIE: "a" * 22}) as me:
        mine = upload(me)
        assert by_run(me, file(mine))[0] == 200
        assert me.get(f"/gradio_api/file={mine}").content == png()
        with TestClient(app, cookies={COOKIE: "b" * 22}) as other:
            for someone in (other, client):
                for route in ROUTES.values():
                    assert route(someone, file(mine)) == (403, {"error": REFUSED})
                answer = someone.get(f"/gradio_api/file={mine}")
                assert (answer.status_code, answer.json()) == (403, {"error": REFUSED})


def test_the_page_makes_somebody_known_once(app):
    with TestClient(app) as new:
        assert COOKIE in new.get("/").cookies
        assert "set-cookie" not in new.get("/").headers
        mine = upload(new)
        assert by_run(new, file(mine))[0] == 200


def test_files_are_served_to_those_who_may_have_them(client, folder):
    for path in (folder / "private.png", folder / "missing.png", "/dev/zero", "https://a.b/c"):
        for form in ("/gradio_api/file={}", "/gradio_api/file=%2E/{}"):
            answer = client.get(form.format(path))
            assert (answer.status_code, answer.json()) == (403, {"error": REFUSED})
    about = by_run(client, file(upload(client)))[1]["data"][0]
    body = {"data": [about["id"], 2, None, "result"]}
    made = client.post("/gradio_api/run/render", json=body).json()["data"][0]
    with Image.open(io.BytesIO(client.get(f"/gradio_api/file={made['path']}").content)) as image:
        assert image.size == (24, 16)


def test_uploads_are_private_files_under_names_of_no_harm(client):
    for name in ("../../up.png", "a" * 300 + ".png", "..", "C:\\me\\x.png", "\u202ea.png"):
        path = Path(upload(client, name))
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert len(path.name.encode()) <= 120
        assert path.parent.parent == Path(os.environ["GRADIO_TEMP_DIR"])
    one, two = upload(client), upload(client)
    assert Path(one).parent != Path(two).parent  # the same contents tell nothing


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\nabc\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"abc", "multipart/form-data"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\nabc\r\n--x--\r\n',
         "multipart/form-data; boundary=x"),
    ],
)  # fmt: skip
def test_damaged_uploads_are_refused(client, body, kind):
    url = "/gradio_api/upload?upload_id=some"
    answer = client.post(url, content=body, headers={"content-type": kind})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"].endswith(".")


def test_progress_of_an_upload_that_is_over(client, monkeypatch):
    monkeypatch.setattr("gsr_apps.studio.upload_routes._WAIT_SECONDS", 0.1)
    assert '"msg": "done"' in client.get("/gradio_api/upload_progress?upload_id=gone").text


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"NaN", b'{"data": NaN}', b'{"data": 1e999}',
        b'{"data": [' * 3000, b"[" * 100_000, b'{"data": ' + b"9" * 5000 + b"}",
        b'{"data": []}', b'{"data": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]}',
        b'{"data": [null], "fn_index": 99}', b'{"data": [null], "fn_index": -1}',
        b'{"data": [null], "fn_index": true}', b'{"data": [null], "session_hash": "../x"}',
        b'{"data": [null], "session_hash": {}}', b'{"data": [[]]}', b'{"data": [{}]}',
    ],
)  # fmt: skip
def test_calls_that_make_no_sense_get_a_sentence(client, body):
    for path in ("run/encode", "run/predict", "run/nonesuch", "call/encode", "queue/join"):
        answer = client.post(f"/gradio_api/{path}", content=body)
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.json()["error"].endswith((".", "!"))


def test_what_a_function_refuses_is_no_fault_of_the_server(client):
    status, told = by_run(client, file(upload(client, data=b"no picture")))
    assert status == 400
    assert "not an image" in told["error"]
    assert by_run(client, None) == (400, {"error": "file must be a picture, got none."})


def test_hidden_functions_are_called_through_the_queue_only(client):
    body = {"data": [[], "scale", "2", "png", False], "fn_index": 3}
    answer = client.post("/gradio_api/run/predict", json=body)
    assert answer.status_code == 404


# --- routes ----------------------------------------------------------------------------------

STAY = {
    ("GET", "/"), ("HEAD", "/"), ("GET", "/config"), ("GET", "/gradio_api/info"),
    ("GET", "/theme.css"), ("GET", "/static/{path:path}"), ("GET", "/assets/{path:path}"),
    ("GET", "/favicon.ico"), ("GET", "/manifest.json"),
    ("GET", "/gradio_api/heartbeat/{session_hash}"), ("GET", "/gradio_api/queue/data"),
    ("GET", "/gradio_api/call/{api_name}/{event_id}"),
    ("GET", "/gradio_api/file={path_or_url:path}"),
    ("HEAD", "/gradio_api/file={path_or_url:path}"),
    ("POST", "/gradio_api/run/{api_name}"), ("POST", "/gradio_api/call/{api_name}"),
    ("POST", "/gradio_api/queue/join"),
}  # fmt: skip
"""Gradio's routes that are needed; `gsr_apps.studio.guard` says what for."""
REPLACED = {("POST", "/gradio_api/upload"), ("GET", "/gradio_api/upload_progress")}


def gradios(app):
    """Its own routes, as this version has them."""
    return routes_of(app.routes[-1].app)


def concrete(path):
    for name in ("session_hash", "api_name", "event_id"):
        path = path.replace("{" + name + "}", "x")
    return path.replace("{path_or_url:path}", "x").replace("{path:path}", "x")


def test_of_gradios_routes_those_are_open_that_are_needed(app):
    there = gradios(app)
    assert {(m, p) for m, p in there if is_open(m, concrete(p))} == STAY
    assert there >= STAY | REPLACED
    assert len(there) > 60


def test_all_others_are_closed(app, client):
    closed = gradios(app) - STAY - REPLACED
    for method, path in sorted(closed):
        answer = client.request(method, concrete(path).replace("{", "").replace("}", ""))
        assert answer.status_code == 404, (method, path)
        if method != "HEAD":
            assert answer.json() == {"error": "This page does not exist."}


def test_our_own_routes_are_known_to_the_guard(app):
    ours = {path for _, path in routes_of(app) if path}
    assert len(ours) > 25
    assert all(OURS.fullmatch(path + ("/x" if path.count("/") == 1 else "")) for path in ours)
    assert {"/docs", "/redoc", "/openapi.json"}.isdisjoint(ours)


@pytest.mark.parametrize("query", ["deep_link=x", "page=nonesuch", "all_endpoints=true", "a=%ff"])
def test_queries_that_choose_states_and_pages_do_nothing(client, query):
    for path in ("/", "/config", "/gradio_api/info"):
        assert client.get(f"{path}?{query}").status_code == 200
    assert "batch" not in str(client.get("/gradio_api/info?all_endpoints=true").json()).lower()


@pytest.mark.parametrize(
    "path",
    ["/static/../../secret", "/static/nonesuch.js", "/assets/%2e%2e/%2e%2e/x", "/nonesuch",
     "/viewer/nonesuch.js", "/demo/nonesuch.png", "/studio/nonesuch"],
)  # fmt: skip
def test_what_is_not_there_is_said_in_the_same_form(client, path):
    answer = client.get(path)
    assert answer.status_code in (403, 404)
    assert list(answer.json()) == ["error"]


def test_sessions_that_are_not_there(client):
    answer = client.get("/gradio_api/queue/data?session_hash=nobody")
    assert (answer.status_code, answer.json()) == (404, {"error": "This session does not exist."})


@pytest.mark.parametrize("path", ["call/encode/nothing", "call/v2/encode", "call/a/b"])
def test_calls_that_nobody_made(client, path):
    answer = client.get(f"/gradio_api/{path}")
    assert (answer.status_code, answer.json()) == (404, {"error": "This call does not exist."})
