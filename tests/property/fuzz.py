"""The long run of fuzzing: ``python -m tests.property.fuzz --inputs 1000000``.

Each target gets its share of the inputs, in rounds with a seed each, so that a finding
can be repeated. Prints what came of them; ends with 1 where a promise was broken.
"""

import argparse
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.property.fuzz_inputs import MAKERS, Recipe
from tests.property.fuzz_targets import OUTCOMES
from tests.property.fuzz_worker import judging_requests

CORPUS = Path(__file__).parent / "corpus"
ROUND = 10_000
# Inputs of one example: hypothesis takes longer over an example than we over an input.
BATCH = 20
# Of a hundred inputs; a whole request costs as much as several of the others.
SHARES = {
    "token": 20,
    "body": 20,
    "headers": 15,
    "settings": 15,
    "event": 20,
    "request": 10,
}
_MAX_KEPT_CHARACTERS = 4_000

type Judge = Callable[[Recipe], str]


@dataclass
class Run:
    """One target's run: how many inputs, what came of them, the smallest of each."""

    target: str
    judge: Judge
    outcomes: Counter[str] = field(default_factory=Counter)
    smallest: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def go(self, count: int, first_seed: int) -> None:
        """Judge at least this many inputs."""
        started = time.monotonic()
        number = first_seed
        while (done := self.outcomes.total()) < count:
            self._round(min(ROUND, count - done), number)
            number += 1
        self.seconds = time.monotonic() - started

    def _round(self, count: int, number: int) -> None:
        @settings(
            max_examples=-(-count // BATCH),
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        )
        @seed(number)
        @given(st.randoms(use_true_random=True))
        def judge(random: Random) -> None:
            for _ in range(BATCH):
                recipe = MAKERS[self.target](random)
                try:
                    outcome = self.judge(recipe)
                except BaseException as error:
                    error.add_note(f"{self.target}: {recipe!r}")
                    raise
                self._note(outcome, recipe)

        judge()

    def _note(self, outcome: str, recipe: Recipe) -> None:
        self.outcomes[outcome] += 1
        known = self.smallest.get(outcome)
        if known is None or self.outcomes[outcome] < ROUND:
            text = json.dumps(recipe, sort_keys=True)
            if known is None or (len(text), text) < (len(known), known):
                self.smallest[outcome] = text


@contextmanager
def judges() -> Iterator[dict[str, Judge]]:
    """Provide every target, the worker library's with its app loaded."""
    with judging_requests() as judge_request:
        yield {**OUTCOMES, "request": judge_request}


def read_corpus(target: str) -> list[tuple[str, Recipe]]:
    """Return the kept inputs of a target with what must come of them."""
    rows = json.loads((CORPUS / f"{target}.json").read_bytes())
    return [(row["outcome"], row["input"]) for row in rows]


def keep(run: Run) -> None:
    """Add the smallest input of every outcome that the corpus does not have."""
    path = CORPUS / f"{run.target}.json"
    known = dict(read_corpus(run.target)) if path.exists() else {}
    found = {
        outcome: json.loads(text)
        for outcome, text in run.smallest.items()
        if len(text) <= _MAX_KEPT_CHARACTERS
    }
    rows = [
        {"outcome": outcome, "input": recipe}
        for outcome, recipe in sorted({**found, **known}.items())
    ]
    path.write_text(json.dumps(rows, indent=1) + "\n", "ascii")


def main() -> int:
    """Run all targets; 0 if every promise was kept."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="in all")
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument("--target", choices=MAKERS, action="append")
    parser.add_argument("--keep", action="store_true", help="add to the corpus")
    arguments = parser.parse_args()
    targets = arguments.target or list(MAKERS)
    parts = sum(SHARES[target] for target in targets)
    logging.getLogger("calling").addHandler(logging.NullHandler())
    logging.getLogger("calling").propagate = False
    runs = []
    with judges() as by_target:
        for target in targets:
            run = Run(target, by_target[target])
            run.go(arguments.inputs * SHARES[target] // parts, arguments.seed)
            runs.append(run)
            _print(run)
            if arguments.keep:
                keep(run)
    total = sum(run.outcomes.total() for run in runs)
    seconds = sum(run.seconds for run in runs)
    print(f"{total:,} inputs in {seconds / 60:.0f} minutes: 0 escapes")
    return 0


def _print(run: Run) -> None:
    total = run.outcomes.total()
    print(f"{run.target}: {total:,} inputs, {run.seconds:.0f} s", flush=True)
    for outcome, count in run.outcomes.most_common():
        print(f"  {count:>9,}  {outcome}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
