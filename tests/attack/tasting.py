"""What one input is made to go through, in a process that may be lost with it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from gsr_training.trainer.recipe_files import load_recipe, parse_overrides
from PIL import Image

import gsr
from gsr.base.errors import GsrError, OutputError
from gsr.field import edits
from gsr.images import load, save, to_pil
from gsr.images.picture import Picture

from . import documents
from .cases import Case, Outcome, sentence
from .documents import document
from .pictures import picture
from .truth import by_pillow, differs, opens

Verdict = tuple[Outcome, str]
WRITTEN = (".png", ".jpg", ".webp", ".tif", ".bmp")
FIELD_EDITS = (edits.Force(1), edits.Soft())


def _case_file(case: Case, folder: Path) -> Path:
    path = folder / f"case{case.suffix}"
    path.write_bytes(case.data)
    return path


def taste_picture(seed: int, index: int, folder: Path) -> Verdict:
    """Load it, compare it with Pillow, write it in all formats and read that."""
    case = picture(seed, index)
    path = _case_file(case, folder)
    truth = by_pillow(case.data)
    try:
        loaded = load(path, max_pixels=4_000_000)
    except GsrError as error:
        if case.sound and opens(case.data):
            return Outcome.WRONG, f"refused, though sound: {error}"
        return _refusal(error)
    if truth is not None:
        alpha = None if loaded.alpha is None else loaded.alpha.numpy()
        wrong = differs(truth, loaded.rgb.movedim(0, -1).numpy(), alpha)
        if wrong:
            return Outcome.WRONG, wrong
    return _written(loaded, folder)


def _written(loaded: Picture, folder: Path) -> Verdict:
    image = to_pil(loaded.rgb, loaded.alpha)
    for suffix in WRITTEN:
        target = folder / f"result{suffix}"
        try:
            save(image, target, loaded.info)
        except OutputError as error:
            if loaded.alpha is None and "holds at most" not in str(error):
                return Outcome.WRONG, f"not written as {suffix}: {error}"
            continue
        with Image.open(target) as found:
            found.load()
            if found.size != image.size:
                return Outcome.WRONG, f"written as {suffix} with {found.size} pixels"
        target.unlink()
    return Outcome.RESULT, ""


def _refusal(error: GsrError) -> Verdict:
    said = str(error)
    return (Outcome.REFUSED if sentence(said) else Outcome.TRACEBACK), said


def taste_document(seed: int, index: int, folder: Path) -> Verdict:
    """Open it and use it for what it is for."""
    case = document(seed, index)
    path = _case_file(case, folder)
    try:
        return _USES[case.suffix](case, path)
    except GsrError as error:
        return _refusal(error)


def _use_field(case: Case, path: Path) -> Verdict:
    field = gsr.open_field(path)
    made = field.render(scale=2)
    field.explain(x=1, y=1, scale=2)
    edits.apply(field, FIELD_EDITS).render(scale=1.5)
    field.save(path.with_name("again.gsf"))
    save(made, path.with_name("result.png"), field.info)
    return _unless_damaged(case, np.asarray(made))


def _unless_damaged(case: Case, made: np.ndarray) -> Verdict:
    """Flips, cuts and moves in a file that is opened must leave what is seen alone."""
    damaged = any(word in case.kind for word in ("cut", "flipped", "moved", "extreme"))
    sound = (documents.model().encode(documents.photo(alpha)).render(2) for alpha in (False, True))
    if damaged and not any(np.array_equal(made, np.asarray(one)) for one in sound):
        return Outcome.WRONG, "a damaged file is opened, and the result is another"
    return Outcome.RESULT, ""


def _use_weights(case: Case, path: Path) -> Verdict:
    model = gsr.load(path)
    made = np.asarray(model.encode(documents.photo()).render(scale=2))
    if made.shape != (12, 14, 3):
        return Outcome.WRONG, f"a result of {made.shape}"
    return _unless_damaged(case, made)


def _use_edits(case: Case, path: Path) -> Verdict:
    field = documents.model().encode(documents.photo())
    made = edits.apply(field, edits.loads(path.read_text(encoding="utf-8", errors="replace")))
    made.render(scale=2)
    return Outcome.RESULT, ""


def _use_recipe(case: Case, path: Path) -> Verdict:
    overrides = case.data.rpartition(b"\n#!")[2].decode()
    load_recipe(path, parse_overrides(overrides.split("\t") if overrides else []))
    return Outcome.RESULT, ""


_USES: dict[str, Callable[[Case, Path], Verdict]] = {
    ".gsf": _use_field,
    ".safetensors": _use_weights,
    ".json": _use_edits,
    ".toml": _use_recipe,
}
TASTERS = {"pictures": taste_picture, "documents": taste_document}


def warm_up() -> None:
    """Compile what is compiled at the first use, which no input is to be blamed for."""
    documents.model().encode(documents.photo(transparent=True)).render(scale=2)


def taste(domain: str, seed: int, index: int, folder: Path) -> Verdict:
    """What became of one input; any exception that is not ours is a traceback."""
    try:
        return TASTERS[domain](seed, index, folder)
    except Exception as error:
        return Outcome.TRACEBACK, f"{type(error).__name__}: {error}"[:300]
