"""The page's own files: no address outside the machine, licences beside what they are of, colours that can be read."""

import re

import pytest

from dashboard.app import STATIC

FILES = sorted(path for path in STATIC.iterdir() if path.is_file())
TEXTS = {path.name: path.read_text() for path in FILES}
OWN = {name: text for name, text in TEXTS.items() if not name.startswith(("uPlot", "LICENSE"))}
NAMES_NOT_ADDRESSES = {"http://www.w3.org/2000/svg", "https://github.com/leeoniya/uPlot"}
"""A namespace, and where uPlot's first comment says it is from; no browser asks for either."""
LEAST_TEXT, LEAST_EDGE = 4.5, 3.0
"""Contrast of text, and of what only has to be seen: WCAG 2.2, 1.4.3 and 1.4.11, level AA."""


@pytest.mark.parametrize("name", TEXTS)
def test_no_file_has_an_address_outside_the_machine(name):
    assert set(re.findall(r"\b(?:https?|wss?|ftp)://[^\s\"'`)<>(]+", TEXTS[name])) <= NAMES_NOT_ADDRESSES
    assert not re.findall(r"""(?:src|href|url|from|import)\s*[=(]?\s*["'(]?//""", OWN.get(name, ""))


@pytest.mark.parametrize("name", [name for name in OWN if name.endswith((".html", ".js", ".css"))])
def test_whatever_a_file_names_is_there(name):
    used = re.findall(r"""(?:from|import)\s+["']\./([\w.]+)["']|(?:src|href)="static/([\w.]+)\"""", TEXTS[name])
    assert {first or second for first, second in used} <= set(TEXTS)


def test_uplot_keeps_its_licence_beside_it():
    licence = TEXTS["LICENSE.uPlot"]
    assert "MIT License" in licence
    assert re.search(r"Copyright \(c\) \d{4} Leon Sorokin", licence)
    assert "permission notice shall be included in all" in " ".join(licence.split())
    assert "uPlot.iife.min.js" in TEXTS
    assert re.match(r"/\*! https://github\.com/leeoniya/uPlot \(v\d", TEXTS["uPlot.iife.min.js"])


def colours():
    """Return name to (light, dark) of the custom properties, each as three values from 0 to 1."""
    found = re.findall(r"--(\w+): light-dark\((#\w+), (#\w+)\)", TEXTS["page.css"])
    return {name: tuple(rgb(each) for each in both) for name, *both in found}


def rgb(text):
    digits = text[1:] if len(text) == 7 else "".join(2 * digit for digit in text[1:])
    return tuple(int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))


def luminance(colour):
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def over(above, below, alpha):
    return tuple(alpha * a + (1 - alpha) * b for a, b in zip(above, below, strict=True))


def test_contrast_is_that_of_the_standard():
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast(rgb("#777"), rgb("#fff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "card"])
@pytest.mark.parametrize("ink", ["ink", "quiet", "blue", "orange", "danger", "good"])
def test_text_and_traces_can_be_read_in_both_themes(ink, ground, theme):
    found = colours()
    assert contrast(found[ink][theme], found[ground][theme]) >= LEAST_TEXT


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["blue", "danger"])
def test_text_on_a_button_and_on_an_alarm_can_be_read(ground, theme):
    found = colours()
    assert contrast(found["card"][theme], found[ground][theme]) >= LEAST_TEXT


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "blue", "orange", "good"])
def test_what_is_drawn_on_the_shade_of_a_trial_is_seen(ink, theme):
    found = colours()
    shade = over(
        found["blue"][theme], found["card"][theme], float(re.search(r"globalAlpha = (0\.1\d+)", TEXTS["plot.js"])[1])
    )
    least = LEAST_TEXT if ink == "ink" else LEAST_EDGE
    assert contrast(found[ink][theme], shade) >= least


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_edges_of_fields_and_the_focus_are_seen(theme):
    found = colours()
    for name, ground in (("quiet", "card"), ("quiet", "paper"), ("blue", "card"), ("blue", "paper")):
        assert contrast(found[name][theme], found[ground][theme]) >= LEAST_EDGE


@pytest.mark.parametrize("name", ["see.css", "run.css"])
def test_no_tab_has_a_colour_of_its_own(name):
    """It would be right in one theme at most. Place and Look back have some over pictures, which have no theme."""
    declared = [line.partition(":")[2] for line in re.findall(r"[\w-]+\s*:[^;{}]*;", TEXTS[name])]
    assert declared
    assert not [value for value in declared if re.search(r"#[0-9a-fA-F]{3,8}\b|rgb|hsl", value)]
