import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
ADOPTED = VECTORS / "V01-exact-two-thirds.json"
NO_QUORUM = VECTORS / "V02-heads-short.json"
NOT_ADOPTED = VECTORS / "V04-exact-half.json"
CONSULTATION = VECTORS / "V32-consultation.json"
BOTH_WAYS = VECTORS / "W14a-floor-not-reached.json"
DEVELOPER = VECTORS / "W21-developer-is-one-party.json"


def run(*arguments: str | Path) -> tuple[int, str, str]:
    done = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["count", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", "from api.cli import main; main()", *arguments],
        capture_output=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        timeout=60,
        check=False,
    )


def bad_file(folder: Path) -> Path:
    path = folder / "bad.json"
    text = ADOPTED.read_text(encoding="utf-8").replace('"area": "100.00"', '"area": "100"', 1)
    path.write_text(text, encoding="utf-8")
    return path


def test_json_is_one_result_a_line_in_the_order_given() -> None:
    code, out, err = run("--json", NO_QUORUM, CONSULTATION, ADOPTED)
    assert [json.loads(line)["outcome"] for line in out.splitlines()] == ["NO_QUORUM", None, "ADOPTED"]
    assert (code, err) == (0, "")


def test_json_writes_chinese_as_it_is() -> None:
    assert "民法典 278" in run(ADOPTED, "--json")[1]


def test_a_bad_file_is_named_and_the_others_still_counted(tmp_path: Path) -> None:
    bad = bad_file(tmp_path)
    code, out, err = run("--json", NO_QUORUM, bad, tmp_path / "none.json", ADOPTED)
    assert code == 2
    assert [json.loads(line)["outcome"] for line in out.splitlines()] == ["NO_QUORUM", "ADOPTED"]
    first, second = err.splitlines()
    assert first.startswith(f"meilin count: {bad}: units[0].area: ")
    assert (
        second
        == f"meilin count: {tmp_path / 'none.json'}: the file: cannot be read: No such file or directory"
    )


def test_nothing_to_count_is_a_mistake() -> None:
    assert run()[0] == 2


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (ADOPTED, "通过 adopted"),
        (NO_QUORUM, "参与不足 no quorum"),
        (NOT_ADOPTED, "未通过 not adopted"),
        (CONSULTATION, "征询意见，不作决定"),
    ],
)
def test_the_report_says_the_outcome_in_words(path: Path, words: str) -> None:
    code, out, _ = run(path)
    assert f"结果 outcome: {words}" in out
    assert code == 0


def test_the_report_shows_each_condition_in_full() -> None:
    rows = [line.split() for line in run(NO_QUORUM)[1].splitlines()]
    assert ["参与", "participation", "面积", "m²", "300.00", "450.00", "≥", "2/3", "–", "✓"] in rows
    assert ["参与", "participation", "人数", "2", "4", "≥", "2/3", "1", "✗"] in rows
    assert ["同意", "agreement", "面积", "m²", "300.00", "300.00", ">", "1/2", "–", "✓"] in rows
    assert ["依据", "民法典", "278"] in rows


def test_the_report_tells_of_refused_ballots_and_of_silence_both_ways() -> None:
    assert "ballots[4] 该业主已投过票" in run(DEVELOPER)[1]
    assert "ballots[1] 不在业主名册" in run(DEVELOPER)[1]
    silence = run(BOTH_WAYS)[1]
    assert "without the silent: 结果 outcome: 参与不足" in silence
    assert "实际投出的赞同票未过全体半数" in silence


def test_the_report_cuts_no_figure_and_obeys_nothing_written_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    unit = {"owners": ["甲"], "area": "9999999.99"}
    vote = {
        "title": "[red]题\u001b[31m" + "长" * 1000,
        "matter": "REBUILD",
        "units": [unit | {"unit": str(number)} for number in range(1000)],
        "ballots": [{"by": "乙", "choice": "FOR"}] * 30,
    }
    path.write_text(json.dumps(vote), encoding="utf-8")
    code, out, _ = run(path)
    assert code == 0
    assert "9999999990.00" in out
    assert "[red]题" in out
    assert "\u001b" not in out
    assert "另有 10 张未计入" in out


def test_the_real_command_speaks_utf_8_in_any_locale(tmp_path: Path) -> None:
    bad = tmp_path / "坏.json"
    bad.write_bytes(b"[")
    done = command("count", ADOPTED, bad, "--json", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert json.loads(done.stdout.decode("utf-8"))["outcome"] == "ADOPTED"
    assert "坏.json: line 1" in done.stderr.decode("utf-8")
    assert "通过" in command("count", ADOPTED, PYTHONIOENCODING="ascii").stdout.decode("utf-8")


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"title": "\\ud800"}', b"\xff\xfe", b'{"a', b"nan"])
def test_no_file_brings_the_command_down(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "hostile.json"
    path.write_bytes(data)
    done = command("count", path, tmp_path, ADOPTED)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_counting_needs_neither_database_nor_server() -> None:
    program = (
        "import sys, api.cli\n"
        "api.cli.app(['count', '--json', sys.argv[1]], standalone_mode=False)\n"
        "print(sorted({'tortoise', 'strawberry', 'starlette', 'redis', 'uvicorn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, ADOPTED],
        capture_output=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == b"[]"
