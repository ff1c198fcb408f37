"""Progress: a bar on a terminal, plain lines in a log."""

import io
import re
import sys

import pytest
from acquire_place import Place, run, served

from skred.core.errors import SkredError
from skred.hub.faults import FaultRule, Status


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self):
        return True


def test_a_terminal_gets_a_bar_with_images_megabytes_units_and_time_left(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with served(Place()) as service:
        run(service, tmp_path)
    shown = sys.stderr.getvalue()
    assert re.search(r"storm +\d+%\|.*\| \d+ of 8 images, \d+\.\d MB, \d\.\d PU spent, \d\d:\d\d left", shown)
    *_, summary, nothing = shown.replace("\r", "\n").split("\n")
    assert (summary[:20], nothing) == ("skred: storm: " + str(tmp_path)[:6], "")


def test_an_error_begins_on_a_line_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    rule = FaultRule(path="process", fault=Status(status=400), after=3)
    with served(Place(), faults=[rule]) as service, pytest.raises(SkredError):
        run(service, tmp_path)
    assert sys.stderr.getvalue().endswith("\r")  # the bar is gone


def test_a_log_gets_plain_lines(tmp_path, capsys):
    with served(Place()) as service:
        run(service, tmp_path)
    out, err = capsys.readouterr()
    assert out == ""
    *steps, summary = err.splitlines()
    assert all(re.fullmatch(r"skred: storm: \d+ of \d+ images, \d+\.\d MB, \d\.\d PU spent", line) for line in steps)
    assert re.search(r"holds 6 acquisitions .*; fetched 10 images, 0 were kept from before; ", summary)
    assert "\r" not in err
