from __future__ import annotations

import numpy as np
import pytest

from trackbook.charts.smoothing import exponential, mean


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
