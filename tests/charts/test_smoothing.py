from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from trackbook.charts.smoothing import OWN_SMOOTHING, exponential, mean, own_smoothing
from trackbook.frames.bucket_rows import Floats, gather


def buckets(values: Floats, width: int) -> Any:
    count = len(values)
    steps = np.arange(count)
    shift = np.full(count, width.bit_length() - 1)
    _, rows = gather(np.zeros(count, int), steps, steps.astype(float), values, shift)
    return SimpleNamespace(rows=rows, width=width)


@pytest.mark.parametrize("width", [1, 2, 4, 16])
def test_noise_is_smoothed_in_buckets_of_every_width(width: int) -> None:
    random, steps = np.random.default_rng(1), np.arange(2000)
    noise = random.standard_normal(2000)
    spoilt = np.where(steps == 500, np.nan, noise)
    assert [own_smoothing([buckets(values, width)]) for values in (noise, spoilt)] == [OWN_SMOOTHING] * 2
    calm = (3 * np.exp(-steps / 500) + 0.1 * noise, steps.astype(float), np.full(2000, 0.1))
    assert [own_smoothing([buckets(values, width)]) for values in calm] == [0, 0, 0]


def test_waves_of_twenty_steps_are_no_noise_in_narrow_buckets() -> None:
    waves = np.sin(2 * np.pi * np.arange(600) / 20)
    assert [own_smoothing([buckets(waves, width)]) for width in (1, 2)] == [0, 0]


def test_smoothing_is_the_centred_mean_cut_off_at_the_ends() -> None:
    values = np.array([1.0, 2, 3, np.nan, 5])
    got = mean(values, np.isfinite(values).astype(float), 1)
    assert got.tolist() == [1.5, 2, 2.5, 4, 5]


def test_without_finite_values_smoothing_is_nan() -> None:
    for smoothing in (mean, exponential):
        assert np.isnan(smoothing(np.array([np.nan, np.nan]), np.zeros(2), 3)).all()


def test_a_window_wider_than_the_series_averages_all() -> None:
    assert mean(np.array([1.0, 3.0]), np.ones(2), 20).tolist() == [2, 2]


def test_exponential_smoothing_looks_back_only() -> None:
    got = exponential(np.array([4.0, np.nan, 1.0]), np.array([1.0, 0, 1]), 1)
    assert got.tolist() == [4, 4, pytest.approx((4 * 0.25 + 1) / 1.25)]
