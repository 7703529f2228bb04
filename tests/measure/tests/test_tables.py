"""The documents' tables of figures are as the generator writes them."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.measure.bench import __main__ as bench
from tests.measure.bench.rows import Row
from tests.measure.bench.timing import Measurement
from tests.measure.load import report
from tests.measure.load.__main__ import CONNECTIONS
from tests.measure.load.batches import BatchFigures
from tests.measure.load.callers import CallerFigures
from tests.measure.load.flood import AT_ONCE, SHARES, FloodFigures
from tests.measure.load.handlers import HandlerFigures
from tests.measure.load.instances import InstanceFigures
from tests.measure.load.soak import ROUND, Segment
from tests.measure.load.traffic import ALL
from tests.measure.mutants import __main__ as mutants
from tests.measure.mutants import settings
from tests.measure.tables import BLOCKS, Block, Figure, write_tables
from tests.measure.tests.test_load import FIGURES
from tests.support.checkout import CHECKOUT

NUMBER = r"\d[\d,]*(\.\d+)?"
FORM = re.compile(rf"-|{NUMBER}( (to|/) {NUMBER})*( (ms|MiB|times|%))?")

each_block = pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with figures of every kind, and with the documents."""
    shutil.copytree(CHECKOUT / "docs", tmp_path / "docs")
    bench.write(
        tmp_path / "bench.json",
        [Measurement.of(row, piece=[369.0], floor=[300.0]) for row in Row],
    )
    honest = CallerFigures(calls=9, median=2.0, p95=3.0, p99=3.9, longest=4.0, wrong=0)
    slower = replace(honest, median=3.2)
    floods = [
        *((count, None, is_costly) for count in AT_ONCE for is_costly in (False, True)),
        *((64, at, False) for at in SHARES),
    ]
    report.write_load(
        tmp_path / "load.json",
        [
            (traffic.name, FIGURES._replace(connections=count, p50=8.62, p99=64.4))
            for traffic in ALL
            for count in CONNECTIONS
        ],
        [
            FloodFigures(
                has_costly_headers=is_costly,
                connections=connections,
                share=share,
                rate=1000 * (share or 1),
                cores=0.9,
                wrong=0,
                alone=honest,
                beside=replace(slower, median=4.0) if is_costly else slower,
            )
            for connections, share, is_costly in floods
        ],
        BatchFigures(
            batches=honest,
            calls_alone=replace(honest, median=210.0),
            calls_beside=replace(honest, median=231.0),
            health_alone=honest,
            health_beside=slower,
        ),
        HandlerFigures(hung=honest, waiting=honest, alone=honest, beside=slower),
        InstanceFigures(
            hanging=honest,
            answers_alone=honest,
            answers_beside=slower,
            deliveries_alone=honest,
            deliveries_beside=honest,
        ),
    )
    segments = [Segment(situation.name, FIGURES, 200) for situation in ROUND]
    for name in ("soak", "soak_instances"):
        report.write_soak(tmp_path / f"{name}.json", FIGURES, segments)
    scores = [mutants.Score(path, {(path, "a change")}) for path in settings.modules()]
    for score in scores:
        score.note("1", "another change", is_killed=True)
        score.note("2", "a change", is_killed=False)
    mutants.write(tmp_path / "mutants.json", scores)
    return tmp_path


def table_of(block: Block, folder: Path) -> str:
    return block.split((folder / block.document).read_text("utf-8"))[1]


def cells(table: str) -> list[list[str]]:
    return [line.strip("| \n").split(" | ") for line in table.splitlines()]


@each_block
def test_a_table_has_every_row_and_target_of_the_code(
    block: Block, checkout: Path
) -> None:
    """The figures may be any; the rest of a row is compared."""
    data = json.loads((checkout / block.file).read_text("utf-8"))
    expected = block.make(data)
    headings, _line, *found = cells(table_of(block, CHECKOUT))

    assert headings == list(expected.headings)
    assert len(found) == len(expected.rows)
    for row, expected_row in zip(found, expected.rows, strict=True):
        for cell, expected_cell in zip(row, expected_row, strict=True):
            if isinstance(expected_cell, Figure):
                assert FORM.fullmatch(cell), row
                assert FORM.fullmatch(expected_cell), expected_row
            else:
                assert cell == expected_cell


def test_the_figures_of_the_files_come_into_the_tables(checkout: Path) -> None:
    write_tables(checkout)

    expected = {
        "bench": "| (a) an incoming call, accepted, 202 | 1.23 | ≤ 2.2 |",
        "load": "| 8.6 / 8.6 / 8.6 / 8.6 ms | 64 / 64 / 64 / 64 ms |",
        "load in all": "| memory at the end | 50.0 MiB | - |",
        "flood": "| 16 always under way, costly headers "
        "| 1,000 | 4.0 ms | 3.9 ms | 2.0 times | 1.2 times |",
        "batches": "| an honest call of another tenant "
        "| 210 ms | 231 ms | 1.1 times | ≤ 3 times |",
        "handlers": "| an answer, beside 31 hung handlers and one that waits "
        "| 2.0 ms | 3.2 ms | 1.60 times | ≤ 1.2 times |",
        "instances": "| an answer | 2.0 ms | 3.2 ms | 1.60 times | ≤ 1.2 times |",
        "soak": f"| replies | {len(ROUND)} | - |",
        "soak with instances": f"| replies | {len(ROUND)} | - |",
        "mutants": "| `shared/core/tokens.py` | 2 | 1 | 1 | 0 | 50.0 % | 100 % |",
    }
    for block in BLOCKS:
        assert f"{expected[block.name]}\n" in table_of(block, checkout)


def test_nothing_but_the_tables_changes(checkout: Path) -> None:
    """Writing the same figures a second time changes nothing at all."""

    def documents() -> dict[str, str]:
        return {one.document: (checkout / one.document).read_text() for one in BLOCKS}

    def without_tables(texts: dict[str, str]) -> dict[str, str]:
        texts = {**texts}
        for block in BLOCKS:
            before, _table, after = block.split(texts[block.document])
            texts[block.document] = before + after
        return texts

    before = documents()

    assert write_tables(checkout) == [block.name for block in BLOCKS]
    written = documents()
    write_tables(checkout)

    assert without_tables(written) == without_tables(before)
    assert documents() == written


def test_tables_without_figures_stay_as_they_are(checkout: Path) -> None:
    (checkout / "soak.json").unlink()
    soak = next(block for block in BLOCKS if block.name == "soak")
    before = table_of(soak, checkout)

    written = write_tables(checkout)

    assert "soak" not in written
    assert table_of(soak, checkout) == before


def test_a_row_that_was_not_measured_gets_a_dash(checkout: Path) -> None:
    bench.write(checkout / "bench.json", [])

    write_tables(checkout)

    row = "| (b) a legacy notification, 204 | - | ≤ 2.0 |\n"
    assert row in table_of(BLOCKS[0], checkout)


def test_a_document_without_the_marks_is_refused(checkout: Path) -> None:
    (checkout / BLOCKS[0].document).write_text("no marks\n", "utf-8")

    with pytest.raises(ValueError, match=r"docs/performance\.md has no <!-- figures"):
        write_tables(checkout)


def test_every_explained_mutant_changes_a_line_that_exists() -> None:
    """A change is written as the removed lines and then the added ones."""
    for module, change in mutants.equivalents():
        source = (CHECKOUT / module).read_text("utf-8")
        removed = {f"- {line.strip()}" for line in source.splitlines() if line.strip()}

        assert any(change.startswith(line) for line in removed), change
