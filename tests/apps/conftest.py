import shutil

import pytest
import torch
from helpers.browser import opened_page, running_app
from PIL import Image

import gsr
from gsr.methods.weights import save_weights
from gsr.network.encoders import EncoderConfig

SIZE = (48, 64)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def tiny_model() -> gsr.GaussianSR:
    """A small model with random weights whose residual and kernels are not trivial."""
    torch.manual_seed(7)
    config = gsr.ModelConfig("tiny", EncoderConfig(channels=16, blocks=1))
    model = gsr.GaussianSR(config)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data += 0.02 * torch.randn_like(parameter)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def model() -> gsr.GaussianSR:
    return tiny_model()


@pytest.fixture(scope="session")
def weights(model, tmp_path_factory):
    return save_weights(model, tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="session")
def pixels():
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand((1, 3, 12, 16), generator=generator)
    return torch.nn.functional.interpolate(coarse, SIZE)[0]


@pytest.fixture(scope="session")
def field(model, pixels):
    from gsr.images import to_pil

    return model.encode(to_pil(pixels))


@pytest.fixture(scope="session")
def photo(tmp_path_factory):
    """A small cut of a demo photo, so that encoding is quick."""
    from gsr_apps.demos import demo_photos

    path = tmp_path_factory.mktemp("photo") / "photo.png"
    with Image.open(demo_photos()[0]) as image:
        image.crop((200, 40, 360, 160)).save(path)
    return path


@pytest.fixture(scope="module")  # for longer, its event loop would be in the way of other tests
def browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no Chromium is installed (looked for {', '.join(BROWSERS)})")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(weights, photo):
    """Of an app of this module's own."""
    with running_app(weights, photo) as address:
        yield address


@pytest.fixture(scope="module")
def shared_page(browser, address):
    """One page for a module: opening it takes seconds."""
    return opened_page(browser, address)
