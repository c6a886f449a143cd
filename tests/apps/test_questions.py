"""One table of questions, which every host carries without knowing it."""

import json
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient
from gsr_apps.studio.server import create_app
from gsr_apps.studio.studio import Studio
from gsr_apps.viewer.questions import QUESTIONS, Question, Region, Word, answer
from gsr_apps.widgets.service import FieldService

import gsr
from gsr.base.reading import Checked
from gsr.images import load, to_pil

PLACE = {"x": 3.5, "y": 2.0, "width": 20.0, "height": 15.0}
ASKED = {
    "ellipses": {"view": PLACE, "limit": 50},
    "explain": {"x": 3.5, "y": 2.0, "scale": 4.0},
    "choices": {},
    "payload": {"view": PLACE},
    "footprint": {"column": 5, "row": 6, "scale": 8.0},
    "usage": {"view": PLACE},
    "echo": {"view": PLACE, "word": "a b&c", "times": 2},
}


@dataclass(frozen=True)
class Echo(Checked):
    view: Region
    word: Word
    times: int = 3


@pytest.fixture(scope="module")
def hosts(model, pixels):
    """A server and a notebook's service for the same picture, with a question of their own."""
    with pytest.MonkeyPatch.context() as patch:
        echo = Question(Echo, lambda field, asked: [asked.view.width, asked.word * asked.times])
        patch.setitem(QUESTIONS, "echo", echo)
        studio = Studio(model, load(to_pil(pixels)))
        with TestClient(create_app(studio)) as client:
            key = client.get("/studio/start").json()["id"]
            yield client, f"/studio/fields/{key}", FieldService(studio.store.get(key).field, {})


def flat(args):
    return {**args.get("view", {}), **{k: v for k, v in args.items() if k != "view"}}


def test_every_question_is_asked_here(hosts):
    assert ASKED.keys() == QUESTIONS.keys()


@pytest.mark.parametrize("what", ASKED)
def test_both_hosts_say_what_the_table_says(hosts, what):
    client, address, service = hosts
    expected = answer(service.field, what, ASKED[what])
    got = client.get(f"{address}/{what}", params=flat(ASKED[what]))
    content, buffers = service.answer({"what": what, "number": 1, **ASKED[what]})
    if isinstance(expected, bytes):
        assert (got.content, buffers) == (expected, [expected])
    else:
        assert (content["found"], buffers) == (expected, [])
        assert got.json() == json.loads(json.dumps(expected))


def test_defaults_are_those_of_the_question(hosts):
    client, address, service = hosts
    args = {"view": PLACE, "word": "ab"}
    assert client.get(f"{address}/echo", params=flat(args)).json() == [20.0, "ababab"]
    assert service.answer({"what": "echo", **args})[0]["found"] == [20.0, "ababab"]


@pytest.mark.parametrize("what", [name for name, args in ASKED.items() if args])
def test_what_is_missing_is_said_by_both(hosts, what):
    client, address, service = hosts
    assert client.get(f"{address}/{what}").status_code == 400
    assert "is missing" in service.answer({"what": what})[0]["error"]


def test_unknown_questions_are_refused(field):
    with pytest.raises(gsr.GsrError, match="unknown question 'x'; choose one of ellipses"):
        answer(field, "x", {})
