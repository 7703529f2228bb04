"""One way to start and stop servers, processes, and whole environments."""

from contextlib import ExitStack
from typing import Self


class Running:
    """Starts with its ``with`` block and stops with it.

    A subclass says in ``start`` what starts, and pushes on the stack how it stops:

        class Clock(Running):
            def start(self, stack: ExitStack) -> None:
                self._thread.start()
                stack.callback(self._thread.join)
                stack.callback(self._stopping.set)

    Whatever is on the stack is undone in reverse order, also when ``start`` fails.
    """

    _stack: ExitStack

    def start(self, stack: ExitStack) -> None:
        """Start, and push on ``stack`` how to stop."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Start everything, or nothing."""
        with ExitStack() as stack:
            self.start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop everything, whatever the block raised."""
        self.close()

    def close(self) -> None:
        """Stop everything; closing twice does no harm."""
        self._stack.close()
