"""Commands as processes, and lines of bash that say the same."""

import shlex
import sys

import pytest

from infra.deploy.actions import Run, Say, equals, quoted, text_of
from infra.deploy.runner import Finished, Runner, StoppedError, ThisMachine

SAY = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"


def test_a_process_ends_with_its_status_and_what_it_said(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Complaints are shown, whether the output is asked for or not."""
    words = (sys.executable, "-c", SAY)

    asked = ThisMachine().run(words, "", is_asked=True)
    assert asked == Finished(3, "out\n", "err\n")
    assert capfd.readouterr() == ("", "err\n")

    assert ThisMachine().run(words, "", is_asked=False) == Finished(3, "", "err\n")
    assert capfd.readouterr() == ("out\n", "err\n")


def test_a_process_runs_in_its_folder(tmp_path: pytest.TempPathFactory) -> None:
    code = "import os; print(os.getcwd())"

    finished = ThisMachine().run(
        (sys.executable, "-c", code), str(tmp_path), is_asked=True
    )

    assert finished.output == f"{tmp_path}\n"


def test_a_command_that_is_missing_ends_as_in_a_shell() -> None:
    finished = ThisMachine().run(("no-such-command",), "", is_asked=True)

    assert finished.status == 127
    assert finished.complaint == "no-such-command: No such file or directory"


def test_a_failure_without_a_sentence_names_the_command() -> None:
    runner = Runner(ThisMachine(), {})

    with pytest.raises(StoppedError) as stopped:
        runner.do(iter([Run((sys.executable, "-c", SAY))]))

    assert str(stopped.value).endswith("…` failed with exit status 3.")


@pytest.mark.parametrize(
    "word",
    ["plain", "two words", "it's", 'say "so"', "a;b", "", "*", 'it\'s "so"', "\\"],
)
def test_a_quoted_word_is_one_word_for_bash(word: str) -> None:
    assert shlex.split(quoted(word)) == [word]


def test_a_name_stays_a_name() -> None:
    assert quoted('{"a":"$NAME"}') == '"{\\"a\\":\\"$NAME\\"}"'


def test_what_depends_on_an_answer_is_printed_with_its_condition() -> None:
    when = equals("GROUP_EXISTS", "false")

    assert text_of(Run(("az", "x"), when)) == (
        'if [ "$GROUP_EXISTS" = false ]; then az x; fi'
    )
    assert text_of(Say("so", when)).endswith("then echo '# so'; fi")
