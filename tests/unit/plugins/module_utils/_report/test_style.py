# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The colours of a report can be told from what they stand on (WCAG 2.2, level AA)."""

from __future__ import annotations

import re

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._report.charts import COLOURS
from ansible_collections.dbops.recovery.plugins.module_utils._report.style import STYLE

ROOTS = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
LIGHT, DARK = (dict(re.findall(r"--(\S+): (#[0-9a-f]{6});", block)) for block in ROOTS[:2])
SCHEMES = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_has_the_contrast_that_the_standard_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@SCHEMES
@pytest.mark.parametrize(
    ("text", "behind"),
    [
        *((text, behind) for text in ("ink", "soft", "accent") for behind in ("page", "card")),
        *(("ink", f"{result}-back") for result in ("passed", "missed", "failed")),
        *(("soft", f"{result}-back") for result in ("passed", "missed", "failed")),
        *((result, "card") for result in ("passed", "missed", "failed")),
    ],
)
def test_text_can_be_read(colours, text, behind):
    assert contrast(colours[text], colours[behind]) >= 4.5


@SCHEMES
@pytest.mark.parametrize(
    "shape",
    [
        *("bar", "bar-missed", "bar-failed", "strip"),
        *(f"phase-{number}" for number in range(COLOURS)),
    ],
)
def test_a_shape_can_be_seen(colours, shape):
    assert contrast(colours[shape], colours["card"]) >= 3


def test_each_phase_has_its_colour():
    assert all(f".phase-{number} {{ fill: var(--phase-{number}); }}" in STYLE for number in range(COLOURS))


def test_both_schemes_have_the_same_colours():
    assert set(LIGHT) == set(DARK)
