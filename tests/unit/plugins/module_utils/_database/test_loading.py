"""Which of the server's warnings count while a dump is loaded."""

from __future__ import annotations

import pytest

from ansible_collections.dbops.recovery.plugins.module_utils._database.loading import _WARNING


@pytest.mark.parametrize(
    "line",
    [
        "Warning (Code 1906): The value specified for generated column 'a' in table 't' has been ignored",
        "Warning (Code 3719): 'utf8' is currently an alias for the character set UTF8MB3",
        "Warning (Code 3778): 'utf8mb3_czech_ci' is a collation of the deprecated character set UTF8MB3.",
        "Warning (Code 1681): Nested comment syntax is deprecated and will be removed in a future release.",
        "Warning (Code 1300): Cannot convert string '\\xF0\\x9F\\xA6\\x84' from utf8mb4 to utf8mb3",
        "Note (Code 1051): Unknown table 'shop.t'",
    ],
)
def test_a_warning_that_says_nothing_of_what_was_loaded_is_left_out(line):
    assert not _WARNING.match(line)


@pytest.mark.parametrize(
    "line",
    [
        "Warning (Code 1265): Data truncated for column 'total' at row 3",
        "Warning (Code 1300): Invalid utf8mb4 character string: '\\xFF'",
        "Warning (Code 13000): something new",
        "Error (Code 1366): Incorrect string value",
    ],
)
def test_a_warning_about_the_content_counts(line):
    assert _WARNING.match(line)
