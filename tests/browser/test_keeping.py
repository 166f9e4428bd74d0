"""Keeping and sharing the work in a real browser: exports, sessions, addresses, runs, uploads."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest

from tests.browser.conftest import click_row
from zogy_explorer import Exposure, ZogyExplorer
from zogy_explorer.io.difference import read_difference
from zogy_explorer.simulate import sample_pair
from zogy_explorer.ui.session_file import read_session_file
from zogy_explorer.ui.wall.palettes import DARK, diverging_palette, sky_palette

pytestmark = [
    pytest.mark.browser,
    # Bokeh 3.9 with pandas 3.1, in every table.
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
]


def export(browser, item):
    """Choose an item of the export menu; the download."""
    with browser.expect_download() as waiting:
        browser.locator("select", has_text="Export …").select_option(label=item)
    return waiting.value


def set_limit(browser, value):
    """Type a `maxPsfCentroidDist`, as a person would."""
    number = browser.get_by_role("textbox", name="maxPsfCentroidDist [px]")
    number.fill(str(value))
    number.press("Enter")


def test_the_products_of_the_menu_arrive_whole(opened, tmp_path):
    browser, explorer = opened()
    download = export(browser, "FITS: D, S, Scorr, cells, settings")
    assert download.suggested_filename == "sample_science_zogy.fits"
    assert "/zogy-explorer-files/" in download.url
    download.save_as(tmp_path / "d.fits")
    assert np.array_equal(read_difference(tmp_path / "d.fits").scorr, explorer.result.scorr)
    download = export(browser, "Detections (DS9 regions)")
    assert download.suggested_filename.endswith(".reg")
    download.save_as(tmp_path / "d.reg")
    assert (tmp_path / "d.reg").read_text().count("circle") >= 10


def test_without_a_web_server_of_ours_files_travel_through_the_page(opened, tmp_path, monkeypatch):
    monkeypatch.setattr("zogy_explorer.ui.downloads.web_application", lambda document: None)
    browser, explorer = opened()
    download = export(browser, "FITS: D, S, Scorr, cells, settings")
    assert download.url.startswith("blob:")
    download.save_as(tmp_path / "d.fits")
    assert np.array_equal(read_difference(tmp_path / "d.fits").scorr, explorer.result.scorr)


def test_the_picture_is_what_the_wall_shows_with_titles_and_colour_bars(opened, tmp_path):
    from PIL import Image

    browser, _ = opened()
    export(browser, "Picture of the images (PNG)").save_as(tmp_path / "wall.png")
    picture = Image.open(tmp_path / "wall.png")
    pixels = np.asarray(picture.convert("RGBA"))
    assert picture.width > 500
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 100
    # Not a picture to be laid on white: its words would be gone.
    assert (pixels[..., 3] == 255).all()
    assert pixels[0, 0, :3].tolist() == rgb(DARK.background)
    # Above the images stand the caption, the titles, and a whole bar of each layer.
    above = {tuple(color) for color in pixels[:80, :, :3].reshape(-1, 3).tolist()}
    for palette in (sky_palette("cividis"), diverging_palette(DARK.diverging)):
        assert tuple(rgb(palette[1])) in above
        assert tuple(rgb(palette[255])) in above
    # The images are copied as they are: a row of the canvas is found in the picture.
    row = browser.evaluate(
        """() => {
        const view = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name("figure-scorr"))
        const layer = view.export("png", true), {left, top, width, height} = view.frame.bbox
        const row = layer.ctx.getImageData(
            Math.round(left) + 3, Math.round(top + height / 2), Math.round(width) - 6, 1)
        return Array.from(row.data)
        }""",
    )
    assert any(bytes(row) in line.tobytes() for line in pixels)


def rgb(color):
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def test_a_saved_session_that_is_dropped_on_the_page_gives_the_page_again(opened, until, tmp_path):
    browser, explorer = opened()
    set_limit(browser, 0.5)
    until(lambda: explorer.session.frame.number == 2, "computed", page=browser)
    click_row(browser, "r0c2")
    until(lambda: explorer.cell.cell.name == "r0c2", "selected", page=browser)
    export(browser, "Session (JSON)").save_as(tmp_path / "s.json")
    assert read_session_file(tmp_path / "s.json").cell == explorer.cell.cell.name
    other, fresh = opened()
    other.get_by_text("Upload", exact=True).click()
    other.locator("input[type=file]").set_input_files(tmp_path / "s.json")
    until(lambda: fresh.config.maxPsfCentroidDist == 0.5, "the settings are back", page=other)
    until(lambda: fresh.cell.cell.name == explorer.cell.cell.name, "the cell", page=other)


def test_the_address_opened_elsewhere_shows_the_same_page(serve, page, until):
    made = []

    def app():
        made.append(ZogyExplorer())
        return made[-1]

    url = serve(app)
    first = page(url)
    until(lambda: made and made[0].result is not None and made[0].session.idle, "1", page=first)
    set_limit(first, 0.5)
    until(lambda: made[0].config.maxPsfCentroidDist == 0.5, "set", page=first)
    until(lambda: made[0].session.idle, "2", page=first)
    click_row(first, "r0c1")
    until(lambda: made[0].cell.cell.name == "r0c1", "selected", page=first)
    whole = made[0].page.wall.view
    first.get_by_role("button", name="Light", exact=True).focus()
    first.keyboard.press("z")
    until(lambda: "set.maxPsfCentroidDist=0.5" in first.url, "the settings", page=first)
    until(lambda: "cell=r0c1" in first.url, "the cell", page=first)
    until(lambda: made[0].page.wall.view[2] < 0.8 * whole[2], "zoomed", page=first)

    def told():
        query = parse_qs(urlparse(first.url).query)
        view = [float(part) for part in query["view"][0].split(",")]
        return np.allclose(view, made[0].page.wall.view, atol=0.1)

    until(told, "the view is in the address", page=first)
    second = page(first.url)
    until(lambda: len(made) == 2 and made[1].result is not None, "opened", page=second)
    until(lambda: made[1].cell is not None and made[1].cell.cell.name == "r0c1", "c", page=second)
    assert made[1].config.to_dict() == made[0].config.to_dict()
    until(
        lambda: np.allclose(made[1].page.wall.view, made[0].page.wall.view, atol=2),
        "the same view",
        page=second,
    )


def test_a_malformed_address_is_one_sentence_and_the_page_opens(serve, page, until):
    made = []

    def app():
        made.append(ZogyExplorer())
        return made[-1]

    browser = page(serve(app) + "?pair=sample&set.maxPsfCentroid=1")
    browser.get_by_text("did you mean maxPsfCentroidDist?").first.wait_for()
    until(lambda: made[-1].result is not None, "the sample opens all the same", page=browser)


# Bokeh's client sends a model that was added late as if it were new.
@pytest.mark.filterwarnings("ignore:reference already known")
def test_a_click_on_a_run_goes_back_to_it(opened, until):
    browser, explorer = opened()
    set_limit(browser, 0.5)
    until(lambda: explorer.session.frame.number == 2, "run 2", page=browser)
    browser.get_by_text("Runs", exact=True).click()
    browser.get_by_text("maxPsfCentroidDist 0.2 → 0.5").wait_for()
    browser.get_by_role("gridcell", name="opened", exact=True).click()
    until(lambda: explorer.session.frame.number == 1, "back", page=browser)
    assert explorer.config.maxPsfCentroidDist == 0.2
    browser.get_by_role("status").get_by_text("run 1 ·", exact=False).wait_for()
    expect_idle = browser.get_by_role("button", name="Cancel", exact=True)
    until(expect_idle.is_disabled, "the page looks idle", page=browser)


def test_settings_for_one_cell_are_a_switch_away(opened, until):
    browser, explorer = opened()
    browser.get_by_role("button", name="This cell", exact=True).click()
    until(lambda: explorer.session.scope == "cell", "the scope", page=browser)
    set_limit(browser, 0.01)
    name = explorer.cell.cell.name
    until(lambda: explorer.session.overrides.get(name), "an override", page=browser)
    browser.get_by_text(f"◆ {name}").first.wait_for()
    assert explorer.config.maxPsfCentroidDist == 0.2
    browser.get_by_role("button", name="Set back", exact=True).click()
    until(lambda: explorer.session.overrides == {}, "set back", page=browser)


def test_files_of_seventy_megabytes_are_uploaded(opened, until, tmp_path):
    science, template, _ = sample_pair()
    paths = []
    for exposure, name in ((science, "new.fits"), (template, "template.fits")):
        side = 2432  # 70.9 MB of image, variance and mask
        reps = (-(-side // exposure.image.shape[0]), -(-side // exposure.image.shape[1]))
        planes = {
            key: np.tile(getattr(exposure, key), reps)[:side, :side]
            for key in ("image", "variance", "mask")
        }
        big = exposure.replace(**planes, psf=exposure.psf, wcs=None)
        big.write(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 70e6
        paths.append(str(tmp_path / name))
    browser, explorer = opened()
    browser.get_by_text("Upload", exact=True).click()
    browser.locator("input[type=file]").set_input_files(paths)
    until(
        lambda: explorer.session.pair.science_name == "new.fits",
        "the uploaded pair is on screen",
        page=browser,
        patience=120,
    )
    assert explorer.session.pair.origin == "upload"
    assert explorer.session.pair.science.image.shape == (2432, 2432)


def test_the_script_of_the_page_makes_the_same_bits_in_a_fresh_process(opened, until, tmp_path):
    browser, explorer = opened()
    set_limit(browser, 0.5)
    until(lambda: explorer.session.frame.number == 2, "computed", page=browser)
    export(browser, "Script (Python)").save_as(tmp_path / "again.py")
    done = subprocess.run(
        [sys.executable, "again.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    again = read_difference(tmp_path / "difference.fits")
    assert np.array_equal(again.diff.image, explorer.result.diff.image)
    assert np.array_equal(again.score.image, explorer.result.score.image)
    assert np.array_equal(again.scorr, explorer.result.scorr)
    assert isinstance(again.diff, Exposure)
