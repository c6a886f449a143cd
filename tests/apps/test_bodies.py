"""How much may be sent, and what JSON may hold."""

import asyncio

import pytest
from fastapi.testclient import TestClient
from gsr_apps.studio.bodies import (
    MAX_CALL_BYTES,
    MAX_DEPTH,
    MAX_EDIT_BYTES,
    Bodies,
    as_body,
    limit_of,
    parse_json,
)
from gsr_apps.studio.budget import Budget, FullError
from gsr_apps.studio.people import COOKIE, has_cookie, new_cookie, person_of
from gsr_apps.studio.statuses import answer_to
from gsr_apps.studio.uploads import KEPT_SECONDS, MAX_USED_BYTES, NotUploadedError, Uploads
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse

from gsr.base.errors import GsrError

MIB = 2**20


def bounded(disk, memory):
    read = []

    async def app(scope, receive, send):
        try:
            read.append(len(await Request(scope, receive).body()))
            await JSONResponse({})(scope, receive, send)
        except GsrError as error:
            await answer_to(error)(scope, receive, send)

    return TestClient(Bodies(app, disk, memory)), read


@pytest.mark.parametrize(
    "path", ["/", "/studio/fields/x/edit", "/gradio_api/run/encode", "/studio/open-demo", "/x"]
)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_is_refused_by_its_length(path, chunked):
    client, read = bounded(Budget(MIB, MIB), Budget(99 * MIB, 99 * MIB))
    limit = limit_of(path)[0]
    for length, status in ((limit, 200), (limit + 1, 413)):
        body = bytes(length)
        content = (body[at : at + MIB] for at in range(0, length, MIB)) if chunked else body
        answer = client.post(path, content=content)
        assert answer.status_code == status
    assert "MiB" in answer.json()["error"]
    assert read == [limit]


@pytest.mark.parametrize("declared", [True, False])
def test_who_sends_too_much_is_heard_out_and_told_why(declared):
    chunks = [{"type": "http.request", "body": bytes(MIB), "more_body": n < 5} for n in range(6)]
    sent = []

    async def receive():
        return chunks.pop(0)

    async def send(message):
        sent.append((message.get("status"), len(chunks)))

    async def app(scope, receive, send):
        try:
            await Request(scope, receive).body()
        except GsrError as error:
            await answer_to(error)(scope, receive, send)

    headers = [(b"content-length", str(6 * MIB).encode())] if declared else []
    scope = {"type": "http", "method": "POST", "path": "/x", "headers": headers, "client": None}
    asyncio.run(Bodies(app, Budget(MIB, MIB), Budget(9 * MIB, 9 * MIB))(scope, receive, send))
    assert sent[0] == (413, 0)


def test_who_leaves_in_the_middle_of_a_body_is_let_go():
    messages = [
        {"type": "http.request", "body": b"[1,", "more_body": True},
        {"type": "http.disconnect"},
    ]
    memory, sent = Budget(9, 9), []

    async def app(scope, receive, send):
        await send(await Request(scope, receive).body())

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/x", "headers": [], "client": ("a", 1)}
    asyncio.run(Bodies(app, memory, memory)(scope, receive, send))
    assert (messages, sent) == ([], [])
    memory.take("anybody", 9)  # all is given back


def test_limits_of_paths():
    assert limit_of("/studio/fields/x/edit") == (MAX_EDIT_BYTES, False)
    assert limit_of("/studio/fields/x/y/edit") == (MAX_CALL_BYTES, False)
    assert limit_of("/gradio_api/upload")[1]


def test_bodies_of_one_person_and_of_all_are_counted_while_they_are_worked_on():
    memory = Budget(3 * MIB, 4 * MIB)
    client, _ = bounded(Budget(MIB, MIB), memory)
    memory.take("address testclient", 2 * MIB + 1)
    answer = client.post("/x", content=bytes(MIB))
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    memory.give_back("address testclient", 2 * MIB + 1)
    memory.take("somebody", 3 * MIB)
    assert client.post("/x", content=bytes(MIB)).status_code == 200
    memory.take("another", 1)
    assert "Others" in client.post("/x", content=bytes(MIB)).json()["error"]
    assert memory.of("address testclient") == 0  # all is given back


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=30))
def test_a_budget_never_holds_more_than_it_may(takes):
    budget, taken = Budget(10, 18), []
    for person, size in takes:
        try:
            budget.take(person, size)
            taken.append((person, size))
        except FullError:
            had = budget.of(person)
            total = sum(size for _, size in taken)
            assert had + size > 10 or total + size > 18
    assert sum(size for _, size in taken) <= 18
    for person, size in taken:
        budget.give_back(person, size)
    assert [budget.of(person) for person in "abc"] == [0, 0, 0]


# --- JSON ------------------------------------------------------------------------------------

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text()
    | st.floats(-1e15, 1e15),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(PLAIN)
def test_plain_values_pass_unchanged(values):
    assert parse_json(as_body(values)) == values


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"NaN", "not JSON"),
        (b"[Infinity]", "not JSON"),
        (b'"\\ud800"', "not JSON"),
        (b"1e999", "from -1e+15"),
        (b'{"a": [-1e16]}', "from -1e+15"),
        (b"9" * 30, "from -1e+15"),
        (b"9" * 100_000, "not JSON"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "levels deep"),
        (b"[" * 10**6, "not JSON"),
        ('"a"'.encode("utf-16"), "not JSON"),
    ],
)
def test_what_is_no_json_is_refused(body, word):
    with pytest.raises(GsrError, match="body") as told:
        parse_json(body)
    assert word in str(told.value)
    assert str(told.value).endswith(".")


# --- people and what they upload -------------------------------------------------------------


def scope(cookie=None, client=("10.0.0.1", 5)):
    headers = [(b"cookie", cookie.encode())] if cookie is not None else []
    return {"headers": headers, "client": client}


def test_people_are_told_apart_by_a_cookie_and_programs_by_their_address():
    value = new_cookie().split(";")[0]
    assert person_of(scope(value)) == person_of(scope(f"a=b; {value}", ("10.0.0.2", 9)))
    assert person_of(scope(value)) != person_of(scope(new_cookie().split(";")[0]))
    assert person_of(scope()) == person_of(scope(client=("10.0.0.1", 6)))
    for odd in ("", "x", f"{COOKIE}=short", f"{COOKIE}={'é' * 22}", f"{COOKIE}={'a' * 23}"):
        assert not has_cookie(scope(odd))
        assert person_of(scope(odd)) == person_of(scope())


@pytest.fixture
def hour():
    return [0.0]


@pytest.fixture
def uploads(tmp_path, hour):
    return Uploads(tmp_path / "up", Budget(3 * 2**30, 4 * 2**30), clock=lambda: hour[0])


def kept(uploads, person, size, tmp_path, name="a.png"):
    (tmp_path / "source").write_bytes(b"abc")
    with (tmp_path / "source").open("rb") as file:
        return uploads.keep(person, name, file, size)


def test_uploads_are_dropped_after_an_hour(uploads, hour, tmp_path):
    path = kept(uploads, "me", 3, tmp_path)
    assert uploads.find(path, "me").read_bytes() == b"abc"
    hour[0] = KEPT_SECONDS + 1
    kept(uploads, "other", 3, tmp_path)
    with pytest.raises(NotUploadedError):
        uploads.find(path)
    assert uploads.budget.of("me") == 0
    assert len(list(uploads.folder.iterdir())) == 1


def test_what_was_read_makes_room_and_what_waits_does_not(uploads, tmp_path):
    first, second = (kept(uploads, "me", MAX_USED_BYTES, tmp_path) for _ in range(2))
    uploads.find(first, "me")
    third = kept(uploads, "me", MAX_USED_BYTES, tmp_path)
    assert (first in uploads, second in uploads, third in uploads) == (False, True, True)
    kept(uploads, "me", MAX_USED_BYTES, tmp_path)
    with pytest.raises(FullError, match="from one person"):
        kept(uploads, "me", 1, tmp_path)
    with pytest.raises(FullError, match="Others"):
        kept(uploads, "you", 2 * MAX_USED_BYTES, tmp_path)
    assert len(list(uploads.folder.iterdir())) == 3  # nothing stays of what was refused
