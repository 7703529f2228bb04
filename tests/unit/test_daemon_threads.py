"""Threads that are used again: as many as are needed, and never more than allowed."""

import asyncio
import threading

import pytest

from shared.edge.threads import DaemonThreads


def test_work_one_after_the_other_needs_few_threads() -> None:
    """The second may begin before the first thread has said that it is idle."""
    pool = DaemonThreads("test", at_most=4, idle_seconds=60)
    used: set[int] = set()

    async def work_often() -> None:
        for _ in range(50):
            used.add(await pool.run(threading.get_ident))

    asyncio.run(work_often())
    assert len(used) <= 4


def test_a_thread_is_free_again_when_the_end_is_told() -> None:
    """Whoever waits for the end may begin at once, though there is one thread only."""
    pool = DaemonThreads("test", at_most=1, idle_seconds=60)

    async def work_often() -> int:
        for _ in range(200):
            ended = asyncio.Event()
            await pool.run(lambda: None, on_end=ended.set)
            await ended.wait()
        return await pool.run(lambda: 7)

    assert asyncio.run(work_often()) == 7


def test_no_more_threads_run_than_are_allowed() -> None:
    pool = DaemonThreads("test", at_most=2, idle_seconds=60)
    may_end = threading.Event()

    async def work_at_once() -> None:
        hanging = [asyncio.create_task(pool.run(may_end.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="too many"):
            await pool.run(lambda: None)
        may_end.set()
        assert await asyncio.gather(*hanging) == [True, True]

    asyncio.run(work_at_once())


def test_what_work_raises_ends_no_thread() -> None:
    pool = DaemonThreads("test", at_most=1, idle_seconds=60)

    def fail() -> None:
        raise SystemExit

    async def work() -> int:
        ended = asyncio.Event()
        with pytest.raises(SystemExit):
            await pool.run(fail, on_end=ended.set)
        await ended.wait()
        return await pool.run(lambda: 7)

    # An exit in a task would end the loop.
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(work()) == 7
    loop.close()


@pytest.mark.parametrize("seconds", [0.0, 0.01])
def test_an_idle_thread_ends_after_a_while(seconds: float) -> None:
    pool = DaemonThreads("test", at_most=1, idle_seconds=seconds)
    thread = asyncio.run(pool.run(threading.current_thread))
    thread.join(10)
    assert not thread.is_alive()
