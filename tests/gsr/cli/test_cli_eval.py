"""`gsr eval` as a command: what it prints and writes, how it goes on, what it refuses."""

import csv
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from torch import Tensor

import gsr.cli
from gsr.methods.weights import save_weights
from gsr.tasks.evaluation import running

ROOT = Path(gsr.cli.__file__).parents[2]


@dataclass
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys) -> Callable[..., Result]:
    def run(*arguments: object) -> Result:
        code = gsr.cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def data(tmp_path: Path, picture: Callable[..., Tensor]) -> Path:
    folder = tmp_path / "data" / "Toy" / "HR"
    folder.mkdir(parents=True)
    for seed, name in enumerate(("one", "two")):
        pixels = (picture(40, 45, seed) * 255).byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return tmp_path / "data"


@pytest.fixture
def evaluate(cli, data: Path) -> Callable[..., Result]:
    """With defaults for what the arguments leave out."""

    def run(*arguments: object, methods: str = "bicubic,nearest", scales: str = "2,3.4") -> Result:
        return cli("eval", "--data", data, "--methods", methods, "--scales", scales, *arguments)

    return run


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is really measured, not taken from a file."""
    seen: list[str] = []
    real = running.measure

    def measure(contender, *arguments):
        seen.append(contender.name)
        return real(contender, *arguments)

    monkeypatch.setattr(running, "measure", measure)
    return seen


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


# --- results -------------------------------------------------------------------------------------


def test_it_prints_tables_and_writes_them(evaluate, tmp_path):
    done = evaluate("-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert "## Toy (2 images), protocol liif" in done.out
    assert "luma, shave ceil(scale), float. LR: Pillow's bicubic, 8 bit." in done.out
    assert "Toy: 2 pictures, taken as benchmark by its name; luma, shave" in done.err
    assert (tmp_path / "out" / "liif-pil.md").read_text() == done.out
    found = rows(tmp_path / "out")
    assert len(found) == 8
    mean = sum(float(r["psnr"]) for r in found if (r["scale"], r["method"]) == ("2", "bicubic")) / 2
    assert f"| bicubic | {mean:.2f} / " in done.out


def test_without_a_folder_nothing_is_written(evaluate, tmp_path, monkeypatch):
    before = sorted(tmp_path.rglob("*"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    done = evaluate("--quiet")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("## Toy")
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "here"])


def test_the_figure_loads_nothing(evaluate, tmp_path):
    assert evaluate("-o", tmp_path / "out").code == 0
    page = (tmp_path / "out" / "liif-pil.html").read_text()
    assert "<h2>Toy (2 images), protocol liif</h2>" in page
    assert "luma, shave ceil(scale), float" in page
    assert "<script src" not in page
    assert "<link" not in page


def test_without_plotly_only_the_page_is_missing(evaluate, tmp_path, monkeypatch):
    for name in [n for n in sys.modules if n in ("plotly", "gsr_apps") or n.startswith("plotly.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "gsr_apps.figures", raising=False)
    monkeypatch.setitem(sys.modules, "plotly", None)
    done = evaluate("-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert (
        'note: the figure is left out: this needs plotly: pip install "gaussiansr[app]".'
        in done.err
    )
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["liif-pil.md", "results.csv"]


def test_only_the_first_pictures(evaluate):
    assert "## Toy (the first 1 of 2 images), protocol liif" in evaluate("--limit", 1).out


def test_every_protocol_and_lr(evaluate, tmp_path):
    tables = set()
    for protocol, lr in (("liif", "matlab"), ("basicsr", "torch"), ("matlab", "matlab")):
        done = evaluate("--protocol", protocol, "--lr", lr, "-o", tmp_path / "out")
        assert done.code == 0, done.err
        assert (tmp_path / "out" / f"{protocol}-{lr}.md").read_text() == done.out
        tables.add(done.out.split("| --- |")[1])
    assert len(tables) == 3
    assert len(rows(tmp_path / "out")) == 24


def test_lr_files(evaluate, data, tmp_path):
    for name in ("one", "two"):
        for place in (data / "Toy" / "LR_bicubic" / "X2",):
            place.mkdir(parents=True, exist_ok=True)
            Image.open(data / "Toy" / "HR" / f"{name}.png").crop((0, 0, 44, 40)).resize(
                (22, 20), Image.Resampling.BICUBIC
            ).save(place / f"{name}x2.png")
    given = evaluate("--lr", data, scales="2")
    assert given.code == 0, given.err
    assert "LR: files that were given, 8 bit." in given.out
    # They are what Pillow makes, so the numbers are those of --lr pil.
    assert given.out.split("| --- |")[1] == evaluate(scales="2").out.split("| --- |")[1]


# --- going on ------------------------------------------------------------------------------------


def test_what_is_there_is_not_computed_again(evaluate, tmp_path, computed):
    first = evaluate("-o", tmp_path, scales="2")
    assert computed == ["bicubic", "nearest"] * 2
    again = evaluate("-o", tmp_path, scales="2")
    assert (len(computed), again.out) == (4, first.out)
    more = evaluate("-o", tmp_path, methods="bicubic,lanczos", scales="2,3")
    assert computed[4:] == ["lanczos", "bicubic", "lanczos"] * 2
    assert more.out == evaluate(methods="bicubic,lanczos", scales="2,3").out


def test_other_settings_are_kept_apart(evaluate, data, tmp_path, computed):
    for arguments in ((), ("--lr", "torch"), ("--protocol", "basicsr"), ("--set-type", "div2k")):
        evaluate("-o", tmp_path, *arguments, methods="bicubic", scales="2")
    assert len(computed) == len(rows(tmp_path)) == 8
    path = data / "Toy" / "HR" / "one.png"
    Image.open(path).rotate(180).save(path)
    evaluate("-o", tmp_path, methods="bicubic", scales="2")
    assert len(computed) == 9


def test_other_weights_under_a_name_are_kept_apart(evaluate, tmp_path, computed, make_model):
    path, contents, tables = tmp_path / "tiny.safetensors", [], []
    for seed in (0, 1):
        contents.append(save_weights(make_model("lite", seed=seed), path).read_bytes())
    for content in (*contents, contents[0]):
        path.write_bytes(content)
        tables.append(evaluate("-o", tmp_path, methods=f"{path},sinc:{path}", scales="2").out)
    assert tables[0] == tables[2] != tables[1]
    assert len(computed) == 8


def test_ctrl_c_leaves_a_file_to_go_on_from(evaluate, tmp_path, computed, monkeypatch):
    whole = evaluate().out
    real = running.measure

    def stopping(*arguments):
        if len(computed) == 8 + 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(running, "measure", stopping)
    stopped = evaluate("-o", tmp_path / "out")
    assert (stopped.code, stopped.out) == (130, "")
    assert (
        f"error: interrupted; {tmp_path / 'out'} has all finished results, and the" in stopped.err
    )
    assert len(rows(tmp_path / "out")) == 3
    monkeypatch.setattr(running, "measure", real)
    assert evaluate("-o", tmp_path / "out").out == whole
    assert len(computed) == 8 + 3 + 5


def test_what_one_picture_raises_costs_its_table_and_no_other_result(
    evaluate, tmp_path, computed, monkeypatch
):
    whole = evaluate().out
    real = running.measure

    def failing(contender, pair, *others):
        if len(computed) == 8 + 1:
            computed.append("failed")
            raise KeyError("of a kind nobody expects")
        return real(contender, pair, *others)

    monkeypatch.setattr(running, "measure", failing)
    done = evaluate("-o", tmp_path / "out")
    assert (done.code, done.out.strip()) == (1, "")
    assert "one.png failed (KeyError: 'of a kind nobody expects'); there will be no" in done.err
    assert {row["image"] for row in rows(tmp_path / "out")} == {"one.png", "two.png"}
    monkeypatch.setattr(running, "measure", real)
    assert evaluate("-o", tmp_path / "out").out == whole


def test_ctrl_c_without_a_folder(evaluate, monkeypatch):
    def stopping(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "measure", stopping)
    stopped = evaluate()
    assert stopped.code == 130
    assert "error: interrupted; nothing is kept without --output." in stopped.err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_process_that_is_stopped(data, tmp_path, cli, how):
    """Whenever it is stopped, the file is whole and the next run goes on."""
    out = tmp_path / "out"
    scales = ",".join(f"{2 + n / 100:g}" for n in range(100))
    command = ["eval", "--data", data, "--methods", "bicubic", "--scales", scales, "-o", out]
    process = subprocess.Popen(
        [sys.executable, "-m", "gsr", *map(str, command)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    results = out / "results.csv"
    for _ in range(1000):
        if results.exists() and results.read_bytes().count(b"\n") > 4:
            break
        time.sleep(0.05)
    process.send_signal(how)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -how), said
    assert printed == ""
    kept = rows(out)
    assert 4 <= len(kept) < 200
    assert cli(*command).code == 0
    assert rows(out)[: len(kept)] == kept
    assert len(rows(out)) == len({(row["image"], row["scale"]) for row in rows(out)}) == 200


def test_a_bar_on_a_terminal(data, tmp_path):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gsr", "eval", "--data", str(data), "--methods", "bicubic"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, text=True,
    )  # fmt: skip
    os.close(theirs)
    printed = process.communicate(timeout=60)[0]
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    assert process.returncode == 0
    assert b"evaluating" in shown
    assert printed.startswith("## Toy (2 images), protocol liif\n")


# --- LPIPS ---------------------------------------------------------------------------------------


def test_lpips_that_is_not_installed_is_a_note(evaluate, monkeypatch):
    monkeypatch.setitem(sys.modules, "lpips", None)
    done = evaluate("--lpips")
    assert done.code == 0
    assert "note: LPIPS is left out: it needs the package lpips, which gsr does not" in done.err
    assert "LPIPS" not in done.out


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--methods", "bicubic,cubic"), "unknown method 'cubic'; choose one of bicubic, "),
        (("--methods", "bicubic,"), "unknown method ''"),
        (("--protocol", "ntire"), "unknown protocol 'ntire'; choose one of liif, basicsr"),
        (("--scales", "1,2"), "scales must be numbers above 1 and up to 64, such as 2,3.4, got"),
        (("--lr", "opencv"), "LR pictures are made by pil, torch, matlab, or lie in a folder, and"),
        (("--set-type", "set5"), "a set's type must be benchmark or div2k, got 'set5'."),
        (
            ("--set-type", "div2k", "--protocol", "basicsr"),
            "protocol basicsr measures all sets alike; leave out their type.",
        ),
        (("--scales", "20"), "one.png is too small for scale 20: 45 x 40 pixels are cropped to"),
        (("--device", "tpu9"), "this machine has no device 'tpu9' that torch can compute on; cpu"),
        (("--device", "meta"), "this machine has no device 'meta' that torch can compute on; cpu"),
        (("--limit", "0"), "Invalid value for '--limit': "),
        (("--output", "FILE"), "cannot be written to: file exists."),
        (("--data", "EMPTY"), "holds no pictures: name a folder of pictures, one with HR/ below"),
        (("--data", "NONE"), "cannot be read: No such file or directory."),
        (("--lr", "EMPTY"), "holds no LR file of one.png for scale 2, such as X2/onex2.png."),
    ],
)
def test_refusals(evaluate, tmp_path, arguments, message):
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "FILE").write_text("")
    places = {name: tmp_path / name for name in ("FILE", "EMPTY", "NONE")}
    done = evaluate(*(places.get(argument, argument) for argument in arguments))
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1


def test_lr_of_the_wrong_size(evaluate, data, tmp_path):
    (tmp_path / "lr" / "X2").mkdir(parents=True)
    Image.new("RGB", (21, 20)).save(tmp_path / "lr" / "X2" / "onex2.png")
    done = evaluate("--lr", tmp_path / "lr", scales="2")
    assert done.code == 2
    assert "onex2.png is 21 x 20 pixels, and for one.png at scale 2 LR must be 22 x 20." in done.err


def test_a_picture_that_is_cut_short_ends_the_run(evaluate, data, tmp_path):
    path = data / "Toy" / "HR" / "two.jpg"
    Image.open(path.with_suffix(".png")).save(path)
    path.with_suffix(".png").unlink()
    path.write_bytes(path.read_bytes()[:-500])
    done = evaluate("-o", tmp_path / "out", scales="2")
    assert done.code == 2
    assert "two.jpg is damaged, cut short or of an unsupported variant" in done.err
    assert {row["image"] for row in rows(tmp_path / "out")} == {"one.png"}


def test_a_foreign_results_file(evaluate, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.csv").write_text("a,b\n1,2\n")
    done = evaluate("-o", tmp_path / "out")
    assert done.code == 2
    assert "results.csv is not a file of this version of gsr eval, its columns are" in done.err


def test_help_needs_no_torch():
    code = (
        "import sys, gsr.cli; code = gsr.cli.run(['eval', '--help']); "
        "sys.exit(code or 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "--protocol" in done.stdout
