"""The queue of refusals: they let calls pass, and wait for nothing else."""

import asyncio
from itertools import pairwise

from shared.edge.refusals import (
    LOOK_EVERY,
    MAX_WAITING,
    TURNS_FOR_EACH,
    RefusalQueue,
)


async def leave_in_order(queue: RefusalQueue, count: int) -> list[tuple[int, int]]:
    """Refuse so many at once; return (number, turn of the loop) as they leave."""
    left: list[tuple[int, int]] = []
    turn = 0

    async def refuse(number: int) -> None:
        await queue.wait_turn()
        left.append((number, turn))

    tasks = [asyncio.ensure_future(refuse(number)) for number in range(count)]
    while not all(task.done() for task in tasks):
        turn += 1
        await asyncio.sleep(0)
    return left


def test_refusals_that_come_one_by_one_do_not_wait() -> None:
    async def refuse_one_by_one() -> None:
        queue = RefusalQueue()
        for _ in range(3 * LOOK_EVERY):
            task = asyncio.ensure_future(queue.wait_turn())
            await asyncio.sleep(0)
            assert task.done()
            await asyncio.sleep(0)

    asyncio.run(refuse_one_by_one())


def test_of_many_at_once_one_leaves_every_few_turns_in_the_order_of_arrival() -> None:
    """The first few leave at once, before the queue notices a flood."""
    left = asyncio.run(leave_in_order(RefusalQueue(), 2 * LOOK_EVERY))

    assert [number for number, _turn in left] == list(range(2 * LOOK_EVERY))
    turns = [turn for _number, turn in left]
    assert turns[:LOOK_EVERY] == [1] * LOOK_EVERY
    waited = turns[LOOK_EVERY - 1 :]
    pauses = {after - before for before, after in pairwise(waited[1:])}
    assert pauses == {TURNS_FOR_EACH}


def test_whatever_else_has_arrived_passes_those_that_wait() -> None:
    """A call of several turns ends long before earlier refusals."""

    async def call_beside_refusals() -> int:
        queue = RefusalQueue()
        refusals = asyncio.ensure_future(leave_in_order(queue, 10 * LOOK_EVERY))
        await asyncio.sleep(0)
        for _turn in range(8):
            await asyncio.sleep(0)
        waiting = len(queue)
        await refusals
        return waiting

    assert asyncio.run(call_beside_refusals()) > 8 * LOOK_EVERY


def test_the_queue_is_bounded() -> None:
    """When it is full, each newcomer releases the oldest."""
    count = LOOK_EVERY + MAX_WAITING + 5
    left = asyncio.run(leave_in_order(RefusalQueue(), count))

    assert [number for number, _turn in left] == list(range(count))
    early = [number for number, turn in left if turn <= 2]
    assert early == list(range(LOOK_EVERY + 5))


def test_a_queue_that_has_emptied_is_as_new() -> None:
    """After a flood the next refusal does not wait."""

    async def refuse_twice() -> None:
        queue = RefusalQueue()
        await leave_in_order(queue, 4 * LOOK_EVERY)
        for _ in range(TURNS_FOR_EACH):
            await asyncio.sleep(0)
        left = await leave_in_order(queue, LOOK_EVERY)
        assert {turn for _number, turn in left} == {1}

    asyncio.run(refuse_twice())


def test_a_request_that_was_given_up_holds_nobody_up() -> None:
    """Its place in the queue is skipped."""

    async def give_one_up() -> list[bool]:
        queue = RefusalQueue()
        tasks = [
            asyncio.ensure_future(queue.wait_turn()) for _ in range(LOOK_EVERY + 2)
        ]
        await asyncio.sleep(0)
        assert len(queue) == 2
        tasks[-2].cancel()
        await asyncio.wait(tasks)
        return [task.cancelled() for task in tasks[-2:]]

    assert asyncio.run(give_one_up()) == [True, False]


def test_what_another_loop_left_behind_holds_nobody_up() -> None:
    """An event loop that ends takes its waiting refusals with it."""
    queue = RefusalQueue()

    async def refuse() -> list[asyncio.Task[None]]:
        tasks = [
            asyncio.ensure_future(queue.wait_turn()) for _ in range(2 * LOOK_EVERY)
        ]
        await asyncio.sleep(0)
        return tasks

    loop = asyncio.new_event_loop()  # asyncio.run would let all leave first
    loop.set_exception_handler(lambda *_: None)
    tasks = loop.run_until_complete(refuse())
    loop.close()
    assert not all(task.done() for task in tasks)

    left = asyncio.run(
        asyncio.wait_for(leave_in_order(queue, 3 * LOOK_EVERY), timeout=5)
    )

    assert len(left) == 3 * LOOK_EVERY
