import threading

import pytest
from gsr_apps.studio.jobs import Cancelled, Jobs
from gsr_apps.studio.store import ExpiredError, FieldStore, Superseded, Turnstile


def test_ids_are_unguessable_and_lead_back(field):
    store = FieldStore()
    keys = {store.put(field) for _ in range(20)}
    assert len(keys) == 20
    assert all(len(key) >= 20 for key in keys)
    assert all(store.get(key).field is field for key in keys)


def test_the_least_recently_used_field_is_dropped(field):
    store = FieldStore(max_bytes=2 * field.nbytes)
    first, second = store.put(field), store.put(field)
    store.get(first)
    third = store.put(field)
    assert first in store
    assert third in store
    with pytest.raises(ExpiredError, match="open it again"):
        store.get(second)
    assert store.nbytes == 2 * field.nbytes


def test_a_field_larger_than_the_bound_is_kept_alone(field):
    store = FieldStore(max_bytes=1)
    store.put(field)
    key = store.put(field)
    assert len(store) == 1
    assert store.get(key).field is field


def test_what_edits_share_is_counted_once(field):
    store = FieldStore()
    first = store.put(field)
    store.get(first).others["ours"] = field
    copy = store.put(field, original=first)
    assert store.get(copy).others is store.get(first).others
    assert store.get(copy).turnstile is store.get(first).turnstile
    assert store.nbytes == 2 * field.nbytes + field.index.nbytes


def test_looking_at_an_edit_keeps_its_original(field):
    store = FieldStore(max_bytes=3 * field.nbytes)
    first = store.put(field)
    copy = store.put(field, original=first)
    store.put(field)
    store.get(copy)
    store.put(field)
    assert first in store
    assert copy in store


def test_what_another_method_made_pushes_out_the_oldest(field):
    store = FieldStore(max_bytes=2 * field.nbytes)
    first, second = store.put(field), store.put(field)
    store.get(second).others["ours"] = field
    store.trim()
    assert first not in store
    assert second in store


def test_threads_may_share_a_store(field):
    store = FieldStore(max_bytes=3 * field.nbytes)
    failures = []

    def work():
        for _ in range(50):
            key = store.put(field)
            try:
                store.get(key)
            except ExpiredError:
                pass
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert store.nbytes <= 3 * field.nbytes


def test_a_newer_request_stops_an_older_one_of_the_same_viewer_only():
    turnstile = Turnstile()
    turnstile.enter("a", 1)
    turnstile.enter("b", 1)
    turnstile.enter("a", 2)
    with pytest.raises(Superseded):
        turnstile.check("a", 1)
    with pytest.raises(Superseded):
        turnstile.enter("a", 1)
    turnstile.check("a", 2)
    turnstile.check("b", 1)


def test_a_turnstile_forgets_old_viewers():
    turnstile = Turnstile(limit=2)
    for viewer in "abc":
        turnstile.enter(viewer, 5)
    turnstile.enter("a", 1)


def test_a_job_can_be_watched_and_cancelled():
    jobs = Jobs()
    job = jobs.get("x")
    job.step(1, 4)
    assert (jobs.get("x").done, jobs.get("x").total) == (1, 4)
    jobs.get("x").cancelled = True
    with pytest.raises(Cancelled):
        job.step(2, 4)
    jobs.forget("x")
    assert jobs.get("x").total == 0
