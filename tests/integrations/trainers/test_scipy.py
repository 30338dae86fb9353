from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize, rosen

import trackbook as tb
from curves import curve, curves, only_run
from trackbook.integrations.scipy import TrackbookCallback


def test_iterations_of_minimize_are_logged() -> None:
    seen: list[float] = []
    callback = TrackbookCallback(name="loss")

    def both(intermediate_result: Any) -> None:
        seen.append(float(intermediate_result.fun))
        callback(intermediate_result)

    with tb.init("p"):
        found = minimize(rosen, [1.3, 0.7], callback=both)
    assert curves(only_run("p")) == {"loss": curve(seen)}
    assert seen[-1] == found.fun


def test_callback_itself_is_told_the_result() -> None:
    with tb.init("p") as run:
        found = minimize(rosen, [1.3, 0.7], callback=TrackbookCallback(run))
    assert len(curves(run)["fun"]) == found.nit
    assert curves(run)["fun"][found.nit - 1] == found.fun


def test_fit_of_statsmodels_is_logged_by_its_likelihood() -> None:
    random = np.random.default_rng(0)
    x = sm.add_constant(random.normal(size=(100, 2)))
    model = sm.Logit((x[:, 1] + random.normal(size=100) > 0).astype(int), x)
    with tb.init("p") as run:
        found = model.fit(method="bfgs", disp=False, callback=TrackbookCallback(run, function=model.loglike))
    values = list(curves(run)["fun"].values())
    assert values[-1] == pytest.approx(found.llf)
    assert values == sorted(values)


def test_optimizer_that_tells_no_value_goes_on_with_a_warning() -> None:
    callback = TrackbookCallback()
    with tb.init("p"):
        with pytest.warns(tb.TrackbookWarning, match=r"give TrackbookCallback\(function=\.\.\.\) the objective"):
            callback(np.zeros(2))
        callback(np.zeros(2))


def test_stop_button_ends_the_minimization() -> None:
    with tb.init("p") as run:
        run.stop()
        found = minimize(rosen, [1.3, 0.7], callback=TrackbookCallback(run))
    assert found.nit == 1
