import base64
import io
import sys

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from gsr import GsrError, View, methods
from gsr.field.inspection import usage
from gsr.images import to_pil
from gsr.network.kernels import ellipses

pytest.importorskip("anywidget")

from gsr_apps.viewer import STATIC
from gsr_apps.viewer.bundle import bundle
from gsr_apps.widgets import (
    ClassifierLab,
    CompareViewer,
    FieldViewer,
    KernelBankExplorer,
    PixelExplainer,
    ScaleSlider,
    link,
)
from gsr_apps.widgets.field_viewer import with_info

FRAME = {
    "what": "frame", "number": 7, "method": "gsr", "layer": "result", "quality": "exact",
    "view": {"x": 3.5, "y": 2, "width": 20, "height": 15, "columns": 80, "rows": 60},
}  # fmt: skip


def asked(widget, **message):
    return widget._service.answer(message)


# --- the bundle ------------------------------------------------------------------------------


def test_the_bundle_is_one_module_with_every_module_once(field):
    text = FieldViewer(field)._esm
    for path in STATIC.glob("*.js"):
        # The transport of another host, and what counts the work of a frame for its tests.
        others = {"http.js", "work.js"}
        if path.name not in others:
            assert text.count(f"const gsr_{path.stem} = (() => {{") == 1
    assert not any(line.startswith("import ") for line in text.splitlines())
    assert text.count("export ") == text.count("export default") == 1


def test_modules_stand_behind_what_they_need(tmp_path):
    (tmp_path / "a.js").write_text('import { b as c } from "./b.js";\nexport function a() {}\n')
    (tmp_path / "b.js").write_text("export const b = 1;\n")
    host = tmp_path / "host.js"
    host.write_text('import * as all from "./a.js";\nexport default all;\n')
    text = bundle(host, tmp_path)
    assert text.index("gsr_b = ") < text.index("gsr_a = ") < text.index("const all = gsr_a;")
    assert "const { b: c } = gsr_b;" in text


def test_modules_of_other_folders_keep_apart(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.js").write_text(f"export const {name} = 1;\n")
    host = tmp_path / "a" / "host.js"
    lines = ('import { a } from "./same.js";', 'import { b } from "../b/same.js";')
    host.write_text("\n".join((*lines, "export default [a, b];\n")))
    text = bundle(host, tmp_path / "a")
    assert "const { a } = gsr_same;\nconst { b } = gsr_b_same;" in text


@pytest.mark.parametrize("line", ['import x from "./a.js";', "export { x };", 'import "y";'])
def test_forms_that_cannot_be_bundled_are_refused(tmp_path, line):
    (tmp_path / "host.js").write_text(line + "\n")
    with pytest.raises(ValueError, match="cannot be bundled"):
        bundle(tmp_path / "host.js", tmp_path)


# --- the transport ---------------------------------------------------------------------------


def test_a_frame_is_the_render_of_the_core(field):
    content, (data,) = asked(FieldViewer(field), **FRAME)
    assert (content["number"], content["type"]) == (7, "image/png")
    expected = field.render(view=View(3.5, 2.0, 20.0, 15.0, (60, 80)))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), np.asarray(expected))


def test_a_field_of_a_tensor_is_shown_too(model, pixels):
    content, (data,) = asked(FieldViewer(model.encode(pixels)), **FRAME)
    assert "error" not in content
    assert Image.open(io.BytesIO(data)).size == (80, 60)


def test_questions_are_answered(field):
    viewer = FieldViewer(field)
    about = asked(viewer, what="about", number=1)[0]
    assert (about["found"]["width"], about["found"]["height"]) == (64, 48)
    assert [method["name"] for method in about["methods"]] == ["bicubic", "lanczos"]
    region = {"x": 2, "y": 2, "width": 10, "height": 8}
    assert len(asked(viewer, what="ellipses", number=2, view=region, limit=50)[0]["found"]["x"])
    told = asked(viewer, what="explain", number=3, x=4.5, y=3.5, scale=4)[0]["found"]
    assert sum(part["share"] for part in told["contributions"]) == pytest.approx(1, abs=1e-5)
    assert sum(asked(viewer, what="usage", number=4, view=region)[0]["found"]["shares"]) == (
        pytest.approx(1, abs=1e-5)
    )
    assert len(asked(viewer, what="choices", number=5)[1][0]) == 6 * 64 * 48
    reach = asked(viewer, what="footprint", number=6, column=3, row=4, scale=4)[0]["found"]
    assert base64.b64decode(reach["shares"])


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ({"what": "melt"}, "melt"),
        ({"what": "explain", "x": 1000, "y": 0, "scale": 4}, "outside the image"),
        ({"what": ["frame"]}, "unknown request ['frame']"),
        ({"what": "x" * 10_000}, "unknown request 'xxxx"),
        ({"what": "about", "more": 1}, "unknown key 'more'"),
        ({"what": "explain"}, "the message explain: x is missing"),
        ({"what": "explain", "x": "3", "y": 0, "scale": 4}, "x must be a number, got '3'"),
        ({"what": "explain", "x": float("nan"), "y": 0, "scale": 4}, "x must be a finite number"),
        ({"what": "explain", "x": 10**400, "y": 0, "scale": 4}, "x must be"),
        ({"what": "footprint", "column": 10**400, "row": 0, "scale": 4}, "finite x, y"),
        ({"what": "footprint", "column": 1.5, "row": 0, "scale": 4}, "column must be a whole"),
        ({"what": "ellipses", "view": {}, "limit": 1}, "view.x is missing"),
        ({"what": "ellipses", "view": [1, 2, 3, 4], "limit": 1}, "view must be an object"),
        ({"what": "usage", "view": {"x": 0, "y": 0, "width": 1e308, "height": 1}}, "scale must be"),
        (FRAME | {"view": FRAME["view"] | {"rows": 10**400}}, "whole pixels between 1"),
        (FRAME | {"view": FRAME["view"] | {"rows": 10**30}}, "whole pixels between 1"),
        (FRAME | {"quality": None}, "quality must be text, got None"),
        (FRAME | {"method": "magic"}, "bicubic, lanczos"),
        (FRAME | {"view": FRAME["view"] | {"width": -1}}, "above 0"),
        (
            {"what": "scores", "view": {"x": 0, "y": 0, "width": 9, "height": 9}, "methods": "gsr"},
            "no ground truth",
        ),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(field, message, word):
    content, buffers = asked(FieldViewer(field), **message)
    assert word in content["error"]
    assert not buffers


def test_messages_that_are_none_are_answered_too(field):
    service = FieldViewer(field)._service
    for message in (None, [], "about", 3, {"number": {"a": []}}):
        content, _ = service.answer(message)
        assert "unknown request None" in content["error"]
        assert content["number"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("view", [0.0, 0.0, 1.0, float("nan")]),
        ("view", [1e300, 0.0, 1.0, 1.0]),
        ("selection", [1.0]),
        ("selection", [float("inf"), 1.0]),
        ("kernels", [-1]),
        ("kernels", [10**9]),
        ("kernels", [1] * 5000),
    ],
)
def test_traits_that_make_no_sense_are_refused(field, name, value):
    viewer = FieldViewer(field)
    before = getattr(viewer, name)
    with pytest.raises(GsrError, match=name):
        setattr(viewer, name, value)
    assert getattr(viewer, name) == before


def test_a_closed_notebook_keeps_a_small_picture(field):
    data, _ = FieldViewer(field)._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert max(picture.size) == 320
    assert "application/vnd.jupyter.widget-view+json" in data


def test_only_the_field_of_one_image_is_shown(model, pixels):
    with pytest.raises(GsrError, match="holds 2"):
        FieldViewer(model.encode(torch.stack((pixels, pixels))))
    with pytest.raises(GsrError, match="got str"):
        FieldViewer("photo.png")


def test_another_field_tells_the_page_to_ask_again(field):
    viewer = FieldViewer(field)
    viewer.field = field.with_kernel(3)
    assert viewer.version == 1
    before, after = (asked(v, **FRAME)[1][0] for v in (FieldViewer(field), viewer))
    assert before != after


@pytest.mark.parametrize("view", [[0, 0, 0, 5], [1, 2, 3], [0, 0, 4, -1]])
def test_views_without_an_extent_are_refused(field, view):
    with pytest.raises(GsrError, match="x, y, width, height"):
        FieldViewer(field).view = view


def test_the_layer_and_the_source_follow_each_other(field):
    viewer = FieldViewer(field)
    assert viewer.layer == "result"
    viewer.layer = "gaussians"
    assert viewer.source == "gsr:gaussians"
    viewer.source = "bicubic"
    assert viewer.layer is None
    viewer.source = "gsr:lr"
    assert viewer.layer == "lr"
    assert FieldViewer(field, layer="residual").source == "gsr:residual"
    with pytest.raises(traitlets.TraitError, match="residual"):
        viewer.layer = "colours"
    with pytest.raises(GsrError, match="layer must be one of result, gaussians"):
        viewer.layer = None


def test_absurd_scales_are_refused(field):
    with pytest.raises(GsrError, match="scale must be"):
        FieldViewer(field).scale = 0.0


# --- the others ------------------------------------------------------------------------------


def test_linked_widgets_follow_each_other(field):
    viewer, explainer, bank, slider = (
        FieldViewer(field), PixelExplainer(field), KernelBankExplorer(field), ScaleSlider(),
    )  # fmt: skip
    link(viewer, explainer, bank, slider)
    viewer.selection = [20.3, 11.8]
    assert explainer.explanation == field.explain(20.3, 11.8, 4.0)
    assert len(explainer._figure.data) == 1
    bank.pick([4, 9])
    assert viewer.kernels == [4, 9]
    bank.pick([4])
    assert viewer.kernels == [9]
    slider.scale = 8.0
    assert (viewer.scale, explainer.explanation.scale) == (8.0, (8.0, 8.0))
    viewer.selection = None
    assert explainer.explanation is None


def test_widgets_without_anything_in_common_are_not_linked(field):
    with pytest.raises(GsrError, match="share none"):
        link(ScaleSlider(), ClassifierLab(field))


def test_handles_reshape_the_picked_kernel(field):
    viewer, bank = FieldViewer(field), KernelBankExplorer(field)
    link(viewer, bank)
    bank._sliders["sigma_x"].value = 0.4  # nothing is picked yet
    assert viewer.field is field
    bank.pick([7])
    assert bank._sliders["sigma_x"].value == pytest.approx(float(field.bank.sigmas[7, 0]), abs=0.01)
    bank._sliders["sigma_x"].value = 1.5
    assert float(viewer.field.bank.sigmas[7, 0]) == pytest.approx(1.5)
    bank._reset.click()
    assert viewer.field is field


def test_the_lab_measures_what_a_choice_is_worth(model, pixels):
    large = to_pil(torch.nn.functional.interpolate(pixels[None], (96, 128))[0])
    field = model.encode(large.resize((64, 48), Image.Resampling.BICUBIC))
    lab = ClassifierLab(field, truth=large)
    first = lab.score()
    buttons = {b.description: b for b in lab.children[0].children if hasattr(b, "click")}
    for name in ("shuffle", "one kernel", "mean kernel", "soft mixture", "best three"):
        buttons[name].click()
        assert lab.change == name
        assert lab.field is not field
        assert f"{lab.score():.2f} dB" in lab.children[1].value
    buttons["as chosen"].click()
    assert lab.field is field
    assert lab.score() == first


def test_images_of_one_picture_are_compared(field):
    images = {"nearest": methods.get("nearest").encode(field.lr[0]), "ours": field}
    viewer = CompareViewer(images)
    assert viewer.state["sources"] == ["nearest", "gsr:result"]
    content, _ = asked(viewer, **FRAME | {"method": "nearest"})
    assert "error" not in content
    with pytest.raises(GsrError, match="GaussianField"):
        CompareViewer({"nearest": images["nearest"]})
    small = methods.get("nearest").encode(field.lr[0, :, :8, :8])
    with pytest.raises(GsrError, match="different sizes"):
        CompareViewer({"small": small, "ours": field})


def test_scores_against_the_truth(field, pixels):
    truth = to_pil(torch.nn.functional.interpolate(pixels[None], (96, 128))[0])
    viewer = FieldViewer(field, truth=truth)
    region = {"x": 2, "y": 2, "width": 30, "height": 20}
    found = asked(viewer, what="scores", number=1, view=region, methods="gsr,bicubic")[0]["found"]
    assert set(found["scores"]) == {"gsr", "bicubic"}
    assert all(10 < row["psnr"] < 80 for row in found["scores"].values())


def test_images_keep_their_form(field):
    assert with_info(field) is field


def test_kernels_of_the_figure_are_those_of_the_field(field):
    bar = next(t for t in KernelBankExplorer(field)._figure.data if t.type == "bar")
    shares = usage(field).tolist()
    assert list(bar.y) == pytest.approx([100 * shares[k] for k in bar.customdata])


def test_a_reshaped_kernel_stays_in_its_place(field):
    bank = KernelBankExplorer(field)
    bank.pick([7])
    bank._sliders["sigma_x"].value = 2.6
    points = next(t for t in bank._figure.data if getattr(t, "mode", "") == "markers")
    outlines = [t for t in bank._figure.data if getattr(t, "mode", "") == "lines"]
    shape = ellipses(bank.field.bank.covariances())
    for number, outline in zip(points.customdata, outlines, strict=True):
        x, y = (np.asarray(v) for v in (outline.x, outline.y))
        reach = np.hypot(x - (x.max() + x.min()) / 2, y - (y.max() + y.min()) / 2).max()
        assert reach == pytest.approx(float(shape.major[number]), abs=0.01)
    assert "sigma 2.60" in points.text[list(points.customdata).index(7)]


def test_an_answer_that_cannot_be_computed_is_a_sentence(field, monkeypatch):
    def full(*_args, **_options):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("gsr_apps.viewer.payloads.frame", full)
    content, _ = asked(FieldViewer(field), **FRAME)
    assert content["error"] == "that could not be computed: out of memory."


# --- the short import ------------------------------------------------------------------------


def test_widgets_are_reached_by_a_short_import():
    import gsr.widgets

    assert gsr.widgets.FieldViewer.__name__ == "FieldViewer"
    assert "link" in dir(gsr.widgets)
    with pytest.raises(AttributeError):
        _ = gsr.widgets.Nothing


def test_missing_packages_are_named_with_the_line_that_installs_them(monkeypatch):
    import gsr.widgets

    for name in [name for name in sys.modules if "gsr_apps.widgets" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(GsrError, match=r'pip install "gaussiansr\[notebook\]"'):
        _ = gsr.widgets.FieldViewer
