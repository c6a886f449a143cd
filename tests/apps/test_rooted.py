"""The app below a path of a proxy."""

import json
import re

import pytest
from fastapi.testclient import TestClient
from gsr_apps.studio.demo import mount_demo
from gsr_apps.studio.rooted import Outside, checked_root
from gsr_apps.studio.server import create_app
from gsr_apps.studio.studio import Studio

from gsr.base.errors import ConfigError
from gsr.images import load, to_pil

ROOT = "/user/ann/proxy/7860"


@pytest.fixture(scope="module")
def app(model, pixels, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        studio = Studio(model, load(to_pil(pixels)))
        yield mount_demo(create_app(studio), studio)


def page_of(app, root: str, path: str = "/", **headers: str) -> str:
    """Where the page of an app says that its parts are."""
    with TestClient(Outside(app, root)) as client:
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        config = re.search(r"window\.gradio_config = (\{.*?\});</script>", answer.text, re.DOTALL)
        return json.loads(config[1])["root"]


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Prefix", "X-Forwarded-Context", "x-proxycontextpath"]
)
@pytest.mark.parametrize("end", ["", "/"])
def test_a_proxy_says_where_the_page_is(app, name, end):
    assert page_of(app, "", **{name: ROOT + end}) == f"http://testserver{ROOT}"


def test_the_option_says_where_the_page_is(app):
    assert page_of(app, f"{ROOT}/") == f"http://testserver{ROOT}"
    assert page_of(app, ROOT, f"{ROOT}/") == f"http://testserver{ROOT}"  # not cut off
    assert page_of(app, ROOT, **{"x-forwarded-prefix": "/other"}) == f"http://testserver{ROOT}"
    assert page_of(app, "") == "http://testserver"


@pytest.mark.parametrize("path", ["/studio/start", "/viewer/viewer.js", "/theme.css", "/config"])
@pytest.mark.parametrize("cut", [True, False])
def test_every_part_is_below_it(app, path, cut):
    with TestClient(Outside(app, ROOT)) as client:
        assert client.get(path if cut else ROOT + path).status_code == 200
        assert client.get(ROOT + "x" + path).status_code == 404


@pytest.mark.parametrize(
    "bad",
    ["//evil.example", "a/b", "https://evil.example", "/a//b", "/a/../b", "/a b", '/"><script>'],
)
def test_what_is_no_path_is_refused_or_not_heard(app, bad):
    with pytest.raises(ConfigError, match="a path of a proxy is like"):
        checked_root(bad)
    assert page_of(app, "", **{"x-forwarded-prefix": bad}) == "http://testserver"
