from __future__ import annotations

from datetime import datetime

import pytest

from tracetui.tui import figures


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (None, ""), (0, "0.0s"), (14_200_000, "14.2s"), (59_960_000, "1m00s"), (252_000_000, "4m12s"),
        (3_599_600_000, "1h00m"), (3_720_000_000, "1h02m"), (273_600_000_000, "3d04h"), (-5, "0.0s"),
        (999 * 86_400_000_000, "999d"),
    ],
)  # fmt: skip
def test_duration(us, text):
    assert figures.duration(us) == text


@pytest.mark.parametrize(
    ("n", "text"),
    [(None, ""), (0, "0"), (999, "999"), (27_800, "27.8k"), (388_000, "388k"), (999_600, "1.0M"), (1_200_000, "1.2M")],
)
def test_amount(n, text):
    assert figures.amount(n) == text


@pytest.mark.parametrize("power", range(0, 15))
def test_numbers_fit_their_columns(power):
    for number in (10**power, 10**power * 9.994, 10**power - 1):
        assert len(figures.amount(int(number))) <= 5
        assert len(figures.duration(int(number))) <= 6 or number >= 1e16
        assert len(figures.money(number / 10**7)) <= 7


@pytest.mark.parametrize(
    ("dollars", "text"),
    [(None, ""), (0, "$0"), (0.041, "$0.041"), (1.74, "$1.74"), (0.00042, "$0.0004"), (1234, "$1.2k")],
)
def test_money(dollars, text):
    assert figures.money(dollars) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.2, ".2"), (1, "1"), (-0.35, "-.35"), (4.5, "4.5"), (0.004, ".004"), (0.999, "1"), (37, "37")]
)
def test_score(value, text):
    assert figures.number(value) == text


def test_clock_says_the_day_when_it_is_another():
    now = datetime(2026, 11, 24, 13, 0).timestamp() * 1e6
    at = lambda *when: int(datetime(*when).timestamp() * 1e6)  # noqa: E731
    assert figures.clock(at(2026, 11, 24, 12, 6), int(now)) == "12:06"
    assert figures.clock(at(2026, 3, 2, 12, 6), int(now)) == "03-02"
    assert figures.clock(at(2024, 3, 2, 12, 6), int(now)) == "2024"
    assert figures.clock(None, int(now)) == ""
