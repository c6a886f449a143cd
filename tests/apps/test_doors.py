"""Which names, sites and frames the app answers to, and what it tells browsers."""

import re

import pytest
from fastapi.testclient import TestClient
from gsr_apps.studio.doors import Hosts
from gsr_apps.studio.launch import Rules, launch
from gsr_apps.studio.policy import Policy
from starlette.responses import HTMLResponse, JSONResponse
from starlette.websockets import WebSocketDisconnect

from gsr.base.errors import ConfigError

PAGE = "<html><script>let a = 1;</script><script type=module src=x.js></script></html>"


async def app(scope, receive, send):
    answer = HTMLResponse(PAGE) if scope["path"] == "/" else JSONResponse({"fine": True})
    await answer(scope, receive, send)


def client(listening="127.0.0.1", others=(), embed=(), auth=None):
    rules = Rules(Hosts(listening, others), Policy(embed), auth)
    return TestClient(rules.around(app), base_url="http://127.0.0.1:7860")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:7860", "localhost:1", "LocalHost", "localhost.", "[::1]:7860",
     "127.8.9.1", "[0:0:0:0:0:0:0:1]"],
)  # fmt: skip
def test_this_machine_knows_itself(host):
    assert client().get("/a", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7860", "localhost.evil.example", "127.0.0.1.evil.example",
     "evil@127.0.0.1", "127.0.0.1/evil", "10.0.0.1", "0.0.0.0", "", " ", "localhost:x", "[::2]",
     "127.1", "2130706433", "evil.example\tlocalhost", "ｌocalhost".encode()],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/studio/start", "/gradio_api/upload", "/static/a.js"])
def test_other_names_are_turned_away(host, path):
    for method in ("GET", "POST", "OPTIONS", "HEAD"):
        assert client().request(method, path, headers={"host": host}).status_code == 403


def test_hosts_that_are_told_twice_or_by_a_proxy():
    twice = [("host", "localhost"), ("host", "evil.example")]
    assert client().get("/a", headers=twice).status_code == 403
    forwarded = {"x-forwarded-host": "evil.example"}
    assert client().get("/a", headers=forwarded).status_code == 403
    behind = client(others=("gsr.example.org",))
    assert behind.get("/a", headers={"x-forwarded-host": "gsr.example.org"}).status_code == 200


@pytest.mark.parametrize(
    ("listening", "host", "fine"),
    [
        ("192.168.1.5", "192.168.1.5:7860", True),
        ("192.168.1.5", "192.168.1.6:7860", False),
        ("0.0.0.0", "192.168.1.6:7860", True),
        ("::", "[fe80::1]:7860", True),
        ("0.0.0.0", "evil.example", False),
        ("::1", "[::1]:80", True),
        ("my-machine", "my-machine:7860", True),
    ],
)
def test_the_address_that_is_listened_on(listening, host, fine):
    assert Hosts(listening).admit(host) == fine


def test_names_that_are_allowed():
    behind = client(others=("gsr.example.org", "[fd00::7]"))
    for host in ("gsr.example.org", "GSR.example.org:443", "[fd00::7]:80", "localhost"):
        assert behind.get("/a", headers={"host": host}).status_code == 200
    assert behind.get("/a", headers={"host": "a.gsr.example.org"}).status_code == 403


@pytest.mark.parametrize("name", ["", "https://a.b", "a.b:80", "a b", "*", "a/b"])
def test_odd_names_to_allow(name):
    with pytest.raises(ConfigError, match="host to allow"):
        Hosts(others=(name,))


@pytest.mark.parametrize(
    ("origin", "fine"),
    [
        ("http://127.0.0.1:7860", True),
        ("http://127.0.0.1:7861", False),
        ("http://localhost:7860", False),
        ("http://127.0.0.1", False),
        ("http://evil.example", False),
        ("https://gsr.example.org", True),
        ("https://evil.gsr.example.org", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("chrome-extension://abc", False),
    ],
)
def test_pages_of_other_sites_may_not_ask(origin, fine):
    behind = client(others=("gsr.example.org",))
    for method in ("GET", "POST"):
        status = behind.request(method, "/studio/open", headers={"origin": origin}).status_code
        assert (status == 200) == fine


def test_the_port_of_a_scheme_is_the_same_said_or_not():
    at = client(others=("a.b",))
    headers = {"host": "127.0.0.1", "origin": "http://127.0.0.1:80"}
    assert at.get("/a", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("site", "mode", "path", "fine"),
    [
        ("same-origin", "cors", "/a", True),
        ("none", "navigate", "/a", True),
        ("cross-site", "no-cors", "/a", False),
        ("same-site", "cors", "/a", False),  # another port of the same machine
        ("cross-site", "navigate", "/", True),  # a link to the page
        ("cross-site", "navigate", "/studio/fields/x/export", False),
        ("cross-site", "no-cors", "/", False),
        ("odd", "navigate", "/a", False),
    ],
)
def test_browsers_say_where_a_request_comes_from(site, mode, path, fine):
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode}
    assert (client().get(path, headers=headers).status_code == 200) == fine
    assert (
        client().post(path, headers=headers | {"sec-fetch-site": "cross-site"}).status_code == 403
    )


def test_websockets_from_elsewhere_are_closed():
    with (
        pytest.raises(WebSocketDisconnect),
        client().websocket_connect("/x", headers={"host": "evil.example"}),
    ):
        pytest.fail("it was opened")


def test_every_answer_tells_browsers_the_rules():
    answers = [
        client().get("/a"),
        client().get("/a", headers={"host": "evil.example"}),
        client(auth="me:secret").get("/a"),
    ]
    assert [answer.status_code for answer in answers] == [200, 403, 401]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
        assert answer.headers["referrer-policy"] == "same-origin"
        rules = answer.headers["content-security-policy"]
        assert rules == "default-src 'none'; sandbox; frame-ancestors 'self'"
        assert answer.status_code == 200 or list(answer.json()) == ["error"]


def test_the_page_runs_its_own_scripts_only():
    rules = client().get("/").headers["content-security-policy"]
    scripts = re.search(r"script-src ([^;]+)", rules)[1].split()
    assert scripts[0] == "'self'"
    assert [script[:8] for script in scripts[1:]] == ["'sha256-"]
    assert "unsafe-eval" not in rules
    assert "frame-ancestors 'self'" in rules


def test_sites_that_may_embed_the_app():
    answer = client(embed=("http://localhost:8888",)).get("/")
    rules = answer.headers["content-security-policy"]
    assert "frame-ancestors 'self' http://localhost:8888" in rules
    assert "x-frame-options" not in answer.headers


@pytest.mark.parametrize("site", ["*", "localhost", "http://a b", "http://a; script-src *", ""])
def test_odd_sites_to_embed_in(site):
    with pytest.raises(ConfigError, match="embed"):
        Policy((site,))


def test_odd_options_are_refused_before_anything_is_loaded():
    with pytest.raises(ConfigError, match="host to allow"):
        launch("nonesuch", port=0, allow_hosts=["a:1"])
    with pytest.raises(ConfigError, match="embed"):
        launch("nonesuch", port=0, allow_embed=["a"])
