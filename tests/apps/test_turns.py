"""Who is served when many wait."""

import asyncio

import pytest
from gsr_apps.studio.crowd import BusyError
from gsr_apps.studio.store import Superseded
from gsr_apps.studio.turns import Gate, Turns


def test_work_passes_one_by_one_and_in_order():
    async def run():
        gate, order, inside = Gate("full."), [], 0

        async def work(number):
            nonlocal inside
            async with gate.passed(8):
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                order.append(number)
                inside -= 1

        await asyncio.gather(*(work(number) for number in range(8)))
        return order

    assert asyncio.run(run()) == list(range(8))


def test_what_would_wait_behind_too_much_is_turned_away():
    async def run():
        gate, go = Gate("full."), asyncio.Event()

        async def work():
            async with gate.passed(2):
                await go.wait()

        tasks = [asyncio.ensure_future(work()) for _ in range(5)]
        await asyncio.sleep(0.01)
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(run())
    assert found[:3] == [None, None, None]
    assert all(isinstance(error, BusyError) for error in found[3:])


def test_of_each_viewer_only_the_newest_waits_and_nobody_is_passed_over():
    async def run():
        turns, order, go = Turns(), [], asyncio.Event()

        async def frame(viewer, number):
            async with turns.turn(viewer):
                await go.wait()
                order.append((viewer, number))

        tasks = [asyncio.ensure_future(frame("a", 0))]
        await asyncio.sleep(0.01)  # now it is under way
        asked = [(viewer, n) for n in range(1, 4) for viewer in ("a", "b", "")]
        tasks += [asyncio.ensure_future(frame(*who)) for who in asked]
        await asyncio.sleep(0.01)
        go.set()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        return order, sum(isinstance(error, Superseded) for error in done)

    order, superseded = asyncio.run(run())
    # Those without a name take no other's place.
    assert order == [("a", 0), ("", 1), ("", 2), ("a", 3), ("b", 3), ("", 3)]
    assert superseded == 4


@pytest.mark.parametrize("when", ["waiting", "inside"])
def test_a_request_that_is_cut_off_leaves_its_turn_to_others(when):
    async def run():
        turns, go = Turns(), asyncio.Event()

        async def frame(viewer):
            async with turns.turn(viewer):
                await go.wait()
                return viewer

        tasks = [asyncio.ensure_future(frame(viewer)) for viewer in "abc"]
        await asyncio.sleep(0.01)
        tasks[1 if when == "waiting" else 0].cancel()
        await asyncio.sleep(0.01)
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    done = asyncio.run(run())
    assert sum(isinstance(one, asyncio.CancelledError) for one in done) == 1
    assert done[2] == "c"
