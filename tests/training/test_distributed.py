"""Several processes train as one does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers.checkout import environment

from gsr.base.errors import GsrError
from gsr.methods.weights import read_weights

ROOT = Path(__file__).parents[2]
ENVIRONMENT = environment(OMP_NUM_THREADS="1")
SMALL = ["--model.channels=8", "--model.blocks=1", "--threads=1", "--device=cpu"]
RUN = ["--train.steps=20", "--train.batch=4", "--run.log_every=1", "--run.save_every=10"]


def run(folder: Path, data: Path, processes: int, *changes: str) -> None:
    """The real command, alone or under torchrun."""
    start = [sys.executable]
    if processes > 1:
        start += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [
        *start,
        "-m",
        "gsr_training.train",
        "debug",
        "--data",
        str(data),
        "--out",
        str(folder),
    ]
    done = subprocess.run(
        [*command, *SMALL, *RUN, *changes],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_two_processes_are_one(tmp_path: Path, photo_folder: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    run(one, photo_folder, 1)
    run(two, photo_folder, 2)
    first, second = (read_weights(f / "lite.safetensors").state_dict() for f in (one, two))
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=0, atol=2e-4, msg=name)
    moved = max((first[n] - v).abs().max() for n, v in second.items())
    losses = [
        [float(line.split(",")[2]) for line in (f / "log.csv").read_text().splitlines()[1:]]
        for f in (one, two)
    ]
    assert len(losses[0]) == 20
    assert losses[1] == pytest.approx(losses[0], rel=1e-3), moved


WORKER = """
import json, os, sys, torch
from accelerate import Accelerator
sys.path.insert(0, "tests")
from helpers.training import make_crops, make_recipe
from gsr_training.trainer.checkpoint import new_state
from gsr_training.trainer.loop import train_step
engine = Accelerator(cpu=True)
torch.set_num_threads(1)
recipe = make_recipe(preset="lite", channels=8, blocks=1, batch=4)
state = new_state(recipe)
network = engine.prepare_model(state.network)
share = make_crops(recipe).batch(0, engine.process_index, engine.num_processes)
train_step(recipe, state, [share], 0.9, network, engine.process_index)
found = [float(p.grad.double().square().sum()) for p in state.network.parameters()]
own = share.lr.flatten(1).sum(1).tolist()
with open(f"{sys.argv[1]}-{engine.process_index}.json", "w") as file:
    json.dump({"gradients": found, "samples": own}, file)
engine.end_training()
os._exit(0)  # at an ordinary end, threads of the process group sometimes abort
"""


@pytest.mark.slow
def test_gradients_are_averaged_over_different_crops(tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    for count in (1, 2):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc-per-node", str(count), str(script), str(tmp_path / str(count))]
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
        )
        assert done.returncode == 0, done.stderr
    whole, left, right = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("1-0", "2-0", "2-1")
    )
    assert left["gradients"] == right["gradients"]
    assert left["gradients"] == pytest.approx(whole["gradients"], rel=1e-3)
    assert sorted(left["samples"] + right["samples"]) == sorted(whole["samples"])
    assert not set(left["samples"]) & set(right["samples"])


MAPPED = """
import json, os, sys, torch
from pathlib import Path
from accelerate import Accelerator
from gsr_training.trainer.data import ImageStore
from gsr_training.trainer.sharing import read_once
from gsr.base.errors import GsrError
engine, folder, reads = Accelerator(cpu=True), Path(sys.argv[1]), []
def read():
    reads.append(1)
    generator = torch.Generator().manual_seed(3)
    images = [torch.randint(0, 256, (3, 4 + i, 7), generator=generator).byte() for i in range(3)]
    return ImageStore.of(images, [False, True, False])
def fail():
    raise GsrError("no image here.")
try:
    read_once(fail, engine, folder)
except GsrError as error:
    said = str(error)
store, own = read_once(read, engine, folder), read()
equal = all(torch.equal(a, b) for a, b in zip(vars(store).values(), vars(own).values()))
found = {"reads": len(reads) - 1, "equal": equal, "said": said, "left": os.listdir(folder)}
maps = Path("/proc/self/maps")
found["mapped"] = not maps.exists() or str(folder) in maps.read_text()
(folder.parent / f"found-{engine.process_index}.json").write_text(json.dumps(found))
engine.end_training()
"""


@pytest.mark.slow
def test_images_are_read_once_per_machine(tmp_path: Path) -> None:
    script, folder = tmp_path / "worker.py", tmp_path / "run"
    script.write_text(MAPPED)
    folder.mkdir()
    # As the README starts several processes; on a machine without GPUs too.
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
    done = subprocess.run(
        [*command, "--num_processes", "2", str(script), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"found-{i}.json").read_text()) for i in range(2))
    assert (first["reads"], second["reads"]) == (1, 0)
    assert first["said"] == "no image here."
    assert "could not" in second["said"]
    for found in (first, second):
        assert found["equal"]
        assert found["mapped"]
        assert not found["left"]


def test_a_batch_that_cannot_be_shared(tmp_path: Path) -> None:
    from gsr_training.trainer.loop import train
    from helpers.training import make_crops, make_recipe

    class Three:
        num_processes, process_index, device = 3, 0, torch.device("cpu")

    recipe = make_recipe(preset="lite", channels=8, blocks=1, batch=4)
    with pytest.raises(GsrError, match=r"train.batch \(4\) cannot be shared by 3 processes"):
        train(recipe, make_crops(recipe), tmp_path, accelerator=Three())  # type: ignore[arg-type]
