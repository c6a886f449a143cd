"""A short part of the attack, always the same one; `make attack` runs the whole."""

import sys

import pytest

from tests.attack.asking import ask_all
from tests.attack.calls import routes
from tests.attack.cases import Outcome, Tally, chance, sentence
from tests.attack.documents import document, weights_bytes
from tests.attack.feeding import feed
from tests.attack.killing import Work, kill_until
from tests.attack.pictures import picture
from tests.attack.running import upscale_folder, upscale_odd
from tests.attack.truth import by_pillow, differs, opens

SEED = 11


@pytest.mark.parametrize(("domain", "count"), [("pictures", 200), ("documents", 150)])
def test_every_input_gives_a_result_or_a_sentence(domain, count):
    tally = Tally()
    feed(domain, SEED, range(count), tally, processes=1)
    assert tally.faults == []
    assert tally.total.total() == count
    assert min(tally.total[Outcome.RESULT], tally.total[Outcome.REFUSED]) > count / 20


def test_a_folder_of_hostile_pictures_is_done_to_its_end():
    tally = Tally()
    count = upscale_folder(SEED, range(1000, 1040), tally)
    assert tally.faults == []
    assert tally.total.total() == count


def test_pipes_devices_loops_and_odd_names_stop_no_run():
    tally = Tally()
    upscale_odd(tally)
    assert tally.faults == []
    assert tally.total[Outcome.REFUSED] >= 4


def test_every_request_gives_an_answer_or_a_sentence(tmp_path):
    weights = tmp_path / "tiny.safetensors"
    weights.write_bytes(weights_bytes())
    tally = Tally()
    ask_all(SEED, range(120), tally, weights)
    assert tally.faults == []
    assert min(tally.total[Outcome.RESULT], tally.total[Outcome.REFUSED]) > 10


SLOW = """
import pathlib, sys, time
out = pathlib.Path(sys.argv[1], "out")
done = out / "a.txt"
time.sleep(0.5)
done.write_text({text})
"""


def slow_work(text: str) -> Work:
    """A stand-in for a command: half a second, then a file."""
    script = SLOW.replace("{text}", text)
    return Work(
        "slow",
        (1, 4),
        lambda folder: [sys.executable, "-c", script, str(folder)],
        lambda folder: {"text": (folder / "out" / "a.txt").read_text()},
    )


def test_kills_that_lose_nothing():
    tally = Tally()
    assert kill_until(SEED, slow_work("'same'"), 2, tally) >= 1
    # Python itself answers to SIGINT with a traceback.
    assert [fault for fault in tally.faults if fault.outcome != Outcome.TRACEBACK] == []


def test_kills_after_which_something_differs():
    tally = Tally()
    kill_until(SEED, slow_work("str(time.time())"), 1, tally)
    assert "differ: ['text']" in tally.faults[-1].said


def test_inputs_depend_on_seed_and_number_alone():
    for make in (picture, document):
        assert make(1, 12) == make(1, 12)
        assert make(1, 12) != make(2, 12)
    assert chance(1, "a", 2).random() == chance(1, "a", 2).random()


def test_requests_know_every_route_with_its_parameters():
    known = {path: set(names) for _, path, names in routes()}
    assert {"x", "y", "scale"} <= known["/studio/fields/{key}/explain"]
    assert "/studio/open-field" in known


def test_sound_pictures_are_sound():
    cases = [picture(SEED, index) for index in range(0, 400, 10)]
    assert all(case.sound for case in cases)
    assert sum(opens(case.data) for case in cases) >= 38


def test_a_difference_is_seen():
    truth = next(
        t
        for t in (by_pillow(picture(SEED, i).data) for i in range(0, 200, 10))
        if t and t.rgb is not None
    )
    assert differs(truth, truth.rgb, truth.alpha) is None
    assert "colours" in differs(truth, 1 - truth.rgb, truth.alpha)
    assert "size" in differs(truth, truth.rgb[:, :0], truth.alpha)


@pytest.mark.parametrize("said", ["", "a\nb", "KeyError: 'x'", "[Errno 2] no", "<class 'int'>"])
def test_leftovers_of_exceptions_are_no_sentences(said):
    assert not sentence(said)
    assert sentence("a.png: there is no such file.")
