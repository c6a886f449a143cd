"""The whole page below a path of a proxy, in a real browser."""

import pytest
from helpers.browser import more, opened_page, running_app
from helpers.proxy import proxied

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("tells", [True, False])
def test_many_pictures_below_a_path(browser, weights, photo, tells):
    root = "/user/ann/proxy/7860"
    options = [] if tells else ["--root-path", root]
    with (
        running_app(weights, photo, options=options) as address,
        proxied(int(address.rsplit(":", 1)[1]), root, tells=tells) as (below, outside),
    ):
        page = opened_page(browser, below)
        more(page).get_by_text("Many pictures…").click()
        page.locator("#batch-files input[type=file]").set_input_files(str(photo))
        page.wait_for_function(
            f"() => document.querySelector('#batch-files').innerText.includes('{photo.stem}')"
        )
        page.click("#batch-start")
        told = "document.querySelector('#batch').innerText"
        page.wait_for_function(
            f"() => {told}.includes('1 of 1 pictures were made')", timeout=60_000
        )
        assert outside - {"/favicon.ico"} == set()  # browsers ask for that by themselves
        assert [text for text in page.problems if "404" not in text] == []
        page.close()
