"""Files that arrive one by one: which two are a pair, and what the page says of the others."""

from __future__ import annotations

import pytest

from tests.ui.conftest import make_exposure
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.state import Pair
from zogy_explorer.ui.uploading import Uploads

FITS = b"SIMPLE  =                    T"


@pytest.fixture
def uploads(monkeypatch):
    session = Session(live=False)
    opened = []
    monkeypatch.setattr(session, "open_uploads", lambda *pair: opened.append(pair))
    made = Uploads(session)
    made.opened, made.session = opened, session
    return made


def drop(uploads, name, content=FITS):
    """A file arrives, as the drop area tells it."""
    uploads.dropper.value[name] = content
    uploads.dropper.mime_type[name] = "application/octet-stream"
    uploads.dropper.param.trigger("mime_type", "value")


def take_off(uploads, name):
    del uploads.dropper.mime_type[name]
    uploads.dropper.param.trigger("mime_type", "value")


def names(uploads):
    return [tuple(name for name, _ in pair) for pair in uploads.opened]


def test_two_files_are_a_pair_and_nothing_is_kept(uploads):
    drop(uploads, "science.fits")
    assert "science.fits</b> is here: drop the other" in uploads.line.object
    assert not uploads.opened
    drop(uploads, "template.fits")
    assert names(uploads) == [("science.fits", "template.fits")]
    assert not uploads.line.object
    assert not uploads.dropper.value  # 100 MB each


def test_files_of_the_same_names_are_another_pair(uploads):
    for content in (FITS + b"1", FITS + b"2"):
        drop(uploads, "science.fits", content)
        drop(uploads, "template.fits", content)
    assert names(uploads) == [("science.fits", "template.fits")] * 2
    assert uploads.opened[1][0][1].endswith(b"2")


def test_two_files_of_one_name_are_a_pair_in_order_of_arrival(uploads):
    drop(uploads, "a.fits", FITS + b"1")
    drop(uploads, "a.fits", FITS + b"2")
    assert [content[-1:] for _, content in uploads.opened[0]] == [b"1", b"2"]


@pytest.mark.parametrize("template", ["ref.fits", "my_template.fits", "tmp.fits"])
def test_a_name_can_say_that_it_is_the_template(uploads, template):
    drop(uploads, template)
    drop(uploads, "new.fits")
    assert names(uploads) == [("new.fits", template)]


def test_what_cannot_be_an_image_is_refused_at_once_and_is_no_half_of_a_pair(uploads):
    drop(uploads, "junk.fits", b"hello")
    assert "junk.fits" in uploads.session.alert
    assert "not a FITS file" in uploads.session.alert
    drop(uploads, "science.fits")  # of the same drop
    assert "not a FITS file" in uploads.session.alert
    assert "junk.fits</b> was refused: it is not a FITS file" in uploads.line.object
    assert "science.fits</b> is here" in uploads.line.object
    drop(uploads, "template.fits")
    assert names(uploads) == [("science.fits", "template.fits")]
    assert not uploads.session.alert
    assert "junk.fits" in uploads.line.object


def test_a_refusal_is_shown_until_its_file_is_taken_or_a_pair_opens(uploads, pair):
    drop(uploads, "junk.fits", b"hello")
    drop(uploads, "<b>.fits", b"hello")
    assert "&lt;b&gt;.fits</b> was refused" in uploads.line.object
    drop(uploads, "junk.fits")
    assert "junk.fits</b> was refused" not in uploads.line.object
    take_off(uploads, "junk.fits")
    uploads.session.open_exposures(*pair)
    assert not uploads.line.object
    for number in range(5):
        drop(uploads, f"{number}.fits", b"hello")
    assert "0.fits" not in uploads.line.object
    assert "and 2 more" in uploads.line.object


def test_what_others_have_to_say_is_left_alone(uploads):
    uploads.session.alert = "manual limits are wrong"
    drop(uploads, "science.fits")
    drop(uploads, "template.fits")
    assert uploads.session.alert == "manual limits are wrong"


def test_a_file_that_waits_is_forgotten_when_another_pair_is_opened(uploads, pair):
    drop(uploads, "forgotten.fits")
    uploads.session.open_exposures(*pair)
    assert not uploads.line.object
    assert any("forgotten.fits waited" in notice.text for notice in uploads.session.notices)
    drop(uploads, "science.fits")
    drop(uploads, "template.fits")
    assert names(uploads) == [("science.fits", "template.fits")]


def test_a_file_waits_on_while_settings_or_the_template_change(uploads, pair):
    uploads.session.open_exposures(*pair)
    drop(uploads, "science.fits")
    uploads.session.edit(minBorder=44)
    uploads.session.open_exposures(pair[0], make_exposure(4, 1.3))  # as when it is moved
    assert "science.fits</b> is here" in uploads.line.object


def test_a_file_that_came_while_a_pair_was_read_is_for_the_next_one(uploads, pair):
    def meanwhile():
        drop(uploads, "science.fits")
        return Pair(*pair)

    uploads.session.open(meanwhile, "reading")
    assert "science.fits</b> is here" in uploads.line.object


def test_regions_and_sessions_between_two_images_do_not_matter(uploads):
    drop(uploads, "science.fits")
    drop(uploads, "list.reg", b"image\ncircle(1,2,3)\n")
    drop(uploads, "page.json", b"{}")
    drop(uploads, "template.fits")
    assert names(uploads) == [("science.fits", "template.fits")]


def test_a_file_that_came_as_text_keeps_its_letters(uploads, pair):
    uploads.session.open_exposures(*pair)
    drop(uploads, "list.reg", "image\ncircle(1,2,3) # text={σ Größe}\n")
    assert [point.label for point in uploads.session.imported.points] == ["σ Größe"]


def test_a_file_that_is_taken_off_again_does_not_wait(uploads):
    drop(uploads, "other.fits")
    take_off(uploads, "other.fits")
    assert not uploads.line.object
    drop(uploads, "science.fits")
    drop(uploads, "template.fits")
    assert names(uploads) == [("science.fits", "template.fits")]


def test_compressed_files_are_images(uploads):
    drop(uploads, "science.fits.gz", b"\x1f\x8b\x08")
    drop(uploads, "template.fits.gz", b"\x1f\x8b\x08")
    assert names(uploads) == [("science.fits.gz", "template.fits.gz")]
