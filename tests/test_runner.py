"""The runner: acts in order, one thread, nothing half done, whoever pauses, interrupts, fails or starts again."""

import threading
import time
from types import SimpleNamespace

import pytest
from panels import wait_for

from gan_teach.runner import Runner


class Counter:
    """Counts, and knows whether two counted at the same time."""

    def __init__(self, **options):
        self.count, self.inside, self.clashes, self.shown, self.told = 0, 0, 0, [], []
        self.threads = set()
        self.runner = Runner(self.act, lambda: self.shown.append(self.count), self.told.append, **options)

    def act(self):
        self.inside += 1
        self.clashes += self.inside > 1
        self.threads.add(threading.get_ident())
        time.sleep(0.002)
        self.count += 1
        self.inside -= 1


@pytest.fixture
def counter():
    counter = Counter()
    yield counter
    counter.runner.pause()


def test_it_plays_beside_us_and_pauses_with_the_last_act_shown(counter):
    assert not counter.runner.playing
    counter.runner.play()
    assert counter.runner.playing
    wait_for(lambda: counter.count > 5)
    counter.runner.pause()
    assert not counter.runner.playing and counter.shown[-1] == counter.count
    after = counter.count
    time.sleep(0.05)
    assert counter.count == after and counter.clashes == 0
    frames = len(counter.shown)
    counter.runner.pause()
    assert len(counter.shown) == frames          # there is nothing new to show


def test_a_pause_is_heard_at_once_though_the_act_takes_long():
    acting, goes_on, ended = threading.Event(), threading.Event(), []
    runner = Runner(lambda: (acting.set(), ended.append(goes_on.wait(60))))
    runner.play()
    assert acting.wait(60)
    runner.pause(lambda: (ended.append(runner.playing), goes_on.set()))         # called while the act goes on
    assert ended == [False, True]


def test_a_second_play_starts_no_second_thread(counter):
    before = set(threading.enumerate())          # those of other tests may end meanwhile: only new ones count
    for _ in range(5):
        counter.runner.play()
    begun = set(threading.enumerate()) - before
    assert len(begun) == 1
    wait_for(lambda: counter.count > 10)
    assert len(counter.threads) == 1 and counter.clashes == 0
    counter.runner.pause()
    wait_for(lambda: not any(thread.is_alive() for thread in begun))


def test_play_and_pause_from_many_threads_never_act_at_once(counter):
    def press():
        for i in range(20):
            (counter.runner.play, counter.runner.pause, counter.runner.step)[i % 3]()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    counter.runner.pause()
    assert counter.count >= 4 * 6 and counter.clashes == 0 and counter.shown[-1] == counter.count


def test_a_step_pauses_acts_once_and_shows(counter):
    counter.runner.step()
    assert (counter.count, counter.shown) == (1, [1])
    counter.runner.step(lambda: setattr(counter, "count", 40))
    assert counter.shown == [1, 40]
    counter.runner.play()
    wait_for(lambda: counter.count > 45)
    counter.runner.step()
    after = counter.count
    time.sleep(0.03)
    assert counter.count == after == counter.shown[-1] and not counter.runner.playing


def test_frames_are_fewer_than_acts(monkeypatch):
    """Ten a second, by a clock on which each act takes a hundredth: every tenth act, and the last one."""
    fast = Counter(frames=10)
    monkeypatch.setattr("gan_teach.runner.time", SimpleNamespace(monotonic=lambda: fast.count / 100))
    fast.runner.play()
    wait_for(lambda: fast.count > 60)
    fast.runner.pause()
    assert fast.shown[0] == 1 and 6 <= len(fast.shown) <= fast.count / 10 + 2


def test_an_interval_slows_down():
    slow = Counter(interval=0.1)
    begun = time.monotonic()
    slow.runner.play()
    wait_for(lambda: slow.count > 3)
    slow.runner.pause()
    assert slow.count <= (time.monotonic() - begun) / 0.1 + 1 and slow.shown[:3] == [1, 2, 3]


def test_a_pause_ends_a_long_rest_at_once():
    before, slow = set(threading.enumerate()), Counter(interval=3600)
    slow.runner.play()
    begun = set(threading.enumerate()) - before
    wait_for(lambda: slow.count == 1)
    slow.runner.pause()
    wait_for(lambda: not any(thread.is_alive() for thread in begun))


def test_whoever_waits_for_the_lock_gets_it(counter):
    """… after few acts, as a rule."""
    counter.runner.play()
    waits = []
    for _ in range(20):
        before = counter.count
        with counter.runner.lock:
            assert counter.inside == 0
            waits.append(counter.count - before)
    assert counter.runner.playing and sorted(waits)[10] < 50


def test_a_new_runner_or_another_ones_play_leaves_one_that_plays():
    first, second = Counter(), Counter()
    first.runner.play()
    third = Counter()
    assert not first.runner.playing and first.shown[-1] == first.count
    second.runner.play()
    first.runner.play()
    assert first.runner.playing and not second.runner.playing and not third.runner.playing
    first.runner.pause()


@pytest.mark.parametrize("where", ["act", "show"])
def test_an_exception_ends_the_play_is_told_and_kept(where):
    counter = Counter()

    def broken():
        raise ZeroDivisionError("by nought")

    playing = []
    counter.runner.failed = lambda error: (counter.told.append(error), playing.append(counter.runner.playing))
    whole = getattr(counter.runner, where)
    setattr(counter.runner, where, broken)
    counter.runner.play()
    wait_for(lambda: counter.told)
    assert str(counter.runner.error) == "by nought" and playing == [False] and not counter.runner.playing
    counter.runner.pause()
    counter.runner.step()
    assert len(counter.told) == 2                       # a pause repeats nothing, a step fails by itself
    setattr(counter.runner, where, whole)
    counter.runner.play()
    wait_for(lambda: counter.count > 2)
    counter.runner.pause()
    assert counter.runner.error is None and len(counter.told) == 2


def test_an_act_may_pause_its_own_runner(counter):
    counter.runner.act = lambda: (counter.act(), counter.count == 3 and counter.runner.pause())
    counter.runner.play()
    wait_for(lambda: not counter.runner.playing)
    time.sleep(0.03)
    assert counter.count == 3 == counter.shown[-1]


def test_an_interrupt_of_a_step_leaves_no_act_half_done(counter, monkeypatch):
    """What SIGINT does to a callback: KeyboardInterrupt while it waits."""
    def interrupted(thread, timeout=None):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        counter.runner.step()
    wait_for(lambda: counter.shown == [1])
    assert counter.count == 1 and counter.inside == 0
