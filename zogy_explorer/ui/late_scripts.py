"""What a page needs only for its tables and uploads is not loaded before its images.

A quarter of the scripts that Panel puts into the head of a page is for widgets that stand beside
the images. There they are written with a type that browsers leave alone; `BrowserCare` loads them
when the images have been painted, and the parts that need them are made after that.
"""

from __future__ import annotations

from typing import Any

ROOT = "zogy-explorer"
"""Name of the page's root model."""

TEMPLATE = """
{% block css_resources %}
{% set alone = not roots | rejectattr("name", "in", alone_with) | list %}
{% for line in bokeh_css.splitlines() -%}
{{ line | replace('rel="stylesheet"', 'rel="late"') if alone and "/bundled/" in line else line }}
{% endfor %}
{% endblock %}
{% block js_resources %}
{% set alone = not roots | rejectattr("name", "in", alone_with) | list %}
{% for line in bokeh_js.splitlines() -%}
{% if not alone -%}
{{ line }}
{% elif "/bundled/datatabulator/" in line or "/bundled/filedropper/" in line -%}
{{ line | replace('type="text/javascript"', 'type="text/late"') }}
{% elif "/bokeh-gl." not in line -%}
{{ line }}
{% endif -%}
{% endfor %}
{% endblock %}
"""


def load_late(document: Any) -> None:
    """Keep back the scripts of a served page, and those of WebGL, if the explorer is all of it.

    What else a document may hold might need them at once; `Location` and the like, which Panel
    adds to every page, do not.
    """
    document.template = TEMPLATE
    document.template_variables["alone_with"] = [ROOT, "location", "browser_info"]


LOAD = r"""
    // Two frames on, what was sent before has been painted; a hidden tab has no frames.
    const painted = () => new Promise((done) => {
      requestAnimationFrame(() => requestAnimationFrame(done))
      setTimeout(done, 500)
    })

    let loading = null
    const load_late_scripts = () => loading ??= load()

    async function load() {
      await painted()
      for (const link of document.querySelectorAll("link[rel=late]")) link.rel = "stylesheet"
      const late = [...document.querySelectorAll("script[type='text/late']")]
      await Promise.all(late.map((old) => new Promise((done) => {
        const script = document.createElement("script")
        script.src = old.getAttribute("src")
        script.async = false  // in their order
        script.onload = script.onerror = done
        old.replaceWith(script)
      })))
    }
"""
"""JavaScript of `BrowserCare`: ``await load_late_scripts()``."""
