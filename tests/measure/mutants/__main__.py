"""Mutation testing of the four modules that guard the door: ``make mutants``.

Runs mutmut, then the mutants that mutmut leaves out. Prints a table, every mutant that
survived without a reason in docs/mutants.md, and every reason there that no mutant
needs. Writes mutants.json. Ends with 1 if a module is below the target or if a reason
is not needed.
"""

import html
import json
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from rich.console import Console
from rich.table import Table

from tests.measure.mutants import settings
from tests.measure.mutants.outside import surviving
from tests.support.checkout import CHECKOUT
from tests.support.markdown_tables import read_table
from tests.support.processes import output_of

TARGET = 0.95
WORK = CHECKOUT / "mutants"
_COUNTED = ("killed", "equivalent", "survived")
_KILLED = {"killed", "timeout", "segfault", "caught by type check"}


class Score:
    """How many mutants of one module were killed, and which survived."""

    def __init__(self, path: str, equivalents: set[tuple[str, str]]) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        self.unexplained: list[str] = []
        self.equivalents_seen: set[tuple[str, str]] = set()
        self._equivalents = equivalents

    def note(self, name: str, change: str, *, is_killed: bool) -> None:
        """Count a mutant; docs/mutants.md may say why it survives."""
        if is_killed:
            self.counts["killed"] += 1
        elif (self.path, change) in self._equivalents:
            self.counts["equivalent"] += 1
            self.equivalents_seen.add((self.path, change))
        else:
            self.counts["survived"] += 1
            self.unexplained.append(f"{name}\n    {change}")

    @property
    def of_all(self) -> float:
        return self.counts["killed"] / max(self.counts.total(), 1)

    @property
    def of_others(self) -> float:
        """The share of the mutants that behave differently from the original."""
        others = self.counts.total() - self.counts["equivalent"]
        return self.counts["killed"] / max(others, 1)


def equivalents() -> set[tuple[str, str]]:
    """Return module and change of the mutants that docs/mutants.md explains."""
    rows = read_table("docs/mutants.md", "equivalent in")
    tags = re.compile("^<code>|</code>$")
    return {(row[0].strip("`"), html.unescape(tags.sub("", row[1]))) for row in rows}


def nearest_first(path: str, tests: list[str]) -> list[str]:
    """Put first the tests that are most likely to kill a module's mutants."""
    words = {"tokens": "attack", "signing_keys": "signing_key"}
    word = words.get(Path(path).stem, Path(path).stem)
    return sorted(tests, key=lambda test: word not in test)


def change_of(diff: str) -> str:
    """Show the lines of a unified diff that differ, in one line."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    changed = [line for line in lines if line.startswith(("-", "+"))]
    return " ".join(f"{line[0]} {line[1:].strip()}" for line in changed)


def judge_functions(score: Score) -> None:
    """Count what mutmut found about the functions of a module."""
    data = SourceFileMutationData(path=Path(score.path))
    data.load()
    for name, exit_code in data.exit_code_by_key.items():
        is_killed = status_by_exit_code[exit_code] in _KILLED
        diff = "" if is_killed else get_diff_for_mutant(name, path=data.path)
        score.note(name, change_of(diff), is_killed=is_killed)


def main() -> int:
    """Run and print everything; return 0 if every module reaches the target."""
    is_reading = "--read" in sys.argv
    if not is_reading:
        shutil.rmtree(WORK, ignore_errors=True)
        mutmut = Path(sys.executable).with_name("mutmut")
        output_of(mutmut, "run", "--max-children", "1")
    known = equivalents()
    scores = [Score(path, known) for path in settings.modules()]
    for score in scores:
        judge_functions(score)
        tests = nearest_first(score.path, settings.tests())
        if is_reading:
            continue
        outside = WORK / "outside"
        for mutant, is_alive in surviving(CHECKOUT, outside, score.path, tests):
            score.note(mutant.name, mutant.change, is_killed=not is_alive)
    _print(scores)
    is_reached = all(score.of_others >= TARGET for score in scores)
    if is_reading:
        return 0 if is_reached else 1
    write(CHECKOUT / "mutants.json", scores)
    unneeded = known.difference(*(score.equivalents_seen for score in scores))
    for path, change in sorted(unneeded):
        print(f"explained in docs/mutants.md, but not seen: {path}\n    {change}")
    return 0 if is_reached and not unneeded else 1


def write(file: Path, scores: list[Score]) -> None:
    counts = [
        {"module": score.path, **{name: score.counts[name] for name in _COUNTED}}
        for score in scores
    ]
    file.write_text(json.dumps({"mutants": counts}, indent=2) + "\n", encoding="utf-8")


def _print(scores: list[Score]) -> None:
    table = Table("module", "mutants", *_COUNTED, "of all", "score", box=None)
    for score in scores:
        counts = (score.counts.total(), *(score.counts[name] for name in _COUNTED))
        shares = (f"{score.of_all:.1%}", f"{score.of_others:.1%}")
        table.add_row(score.path, *map(str, counts), *shares)
    Console(soft_wrap=True).print(table)
    for score in scores:
        for survivor in score.unexplained:
            print(f"survived: {survivor}")


if __name__ == "__main__":
    sys.exit(main())
