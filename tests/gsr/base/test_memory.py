"""Amounts of memory."""

import pytest

from gsr.base.errors import ConfigError
from gsr.base.memory import parse_memory


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2G", 2 * 10**9),
        ("500M", 500 * 10**6),
        (" 1.5 gb ", 1_500_000_000),
        ("300000", 300_000),
        ("2GiB", 2 * 10**9),
        ("7k", 7000),
    ],
)
def test_what_people_type(text: str, expected: int) -> None:
    assert parse_memory(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0G", "-1G", "G", "2X", "1e9", "2 2G", "much", "9" * 99])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is not an amount of memory; give one such as 2G"):
        parse_memory(text)
