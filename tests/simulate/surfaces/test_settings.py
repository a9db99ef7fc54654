from dataclasses import fields, replace

import numpy as np
import pytest

from stmviewer.scan import RequestError
from stmviewer.simulate import Hexagonal, Molecules, Si001H, random_surface, simulate_scan, surface_names
from stmviewer.simulate.surfaces.settings import _limits, with_settings


def test_parameters_are_replaced_in_their_kinds():
    surface = with_settings(
        Si001H(), {"bias_v": "1.8", "steps": "2", "edge_roughness_m": "1e-10,2e-9", "angle_deg": "-20"}
    )
    assert surface == replace(Si001H(), bias_v=1.8, steps=2, edge_roughness_m=(1e-10, 2e-9), angle_deg=-20.0)
    assert with_settings(Molecules(), {"molecule": "c60"}).molecule == "c60"
    assert with_settings(Hexagonal(), {}) == Hexagonal()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("colour", "red", r"no parameter 'colour'; it has angle_deg, .*steps"),
        ("steps", "two", r"'two' is no value for steps"),
        ("steps", "1.5", "whole number"),
        ("steps", "1000000", "between 0 and 12"),
        ("steps", "-1", "between 0 and 12"),
        ("bias_v", "nan", "between -10 and 10"),
        ("bias_v", "1,2", "takes 1 numbers, not 2"),
        ("edge_roughness_m", "1e-9", "takes 2 numbers, not 1"),
        ("missing_dimers", "1.2", "between 0 and 1"),
        ("tip_height_m", "0", "between 5e-11 and 3e-09"),
        ("kappa_per_m", "11", "SI units"),
        ("dihydride_period", "2", "1x1 and 3x1"),
    ],
)
def test_what_a_surface_cannot_be(name, text, message):
    with pytest.raises(RequestError, match=message):
        with_settings(Si001H(), {name: text})


def test_unknown_molecules_are_refused_with_what_there_is():
    with pytest.raises(RequestError, match=r"'water' is unknown; there are pentacene, .*c60"):
        with_settings(Molecules(), {"molecule": "water"})


@pytest.mark.parametrize("name", surface_names())
def test_limits_allow_what_is_random_and_make_heights_at_both_ends(name):
    for seed in range(10):
        surface = random_surface(name, np.random.default_rng(seed))
        for field in fields(surface):
            value = getattr(surface, field.name)
            if not isinstance(value, str):
                low, high = _limits(field.name)
                assert low <= np.min(value) <= np.max(value) <= high, field.name
    for field in fields(surface):
        value = getattr(surface, field.name)
        if isinstance(value, str) or field.name == "dihydride_period":
            continue
        for limit in _limits(field.name):
            text = ",".join([repr(limit)] * np.size(value))
            z = with_settings(surface, {field.name: text}).make(24, 24, 0.1e-9, np.random.default_rng(0))
            assert np.isfinite(z).all(), (field.name, limit)


def test_no_combination_overflows():
    high = {"kappa_per_m": "20e9", "steps": "12", "step_height_m": "1e-9", "cluster_height_m": "3e-9"}
    surface = with_settings(Hexagonal(clusters_per_m2=0.1e18), high)
    assert np.isfinite(surface.make(64, 64, 0.2e-9, np.random.default_rng(0))).all()


def test_a_scan_of_a_set_surface():
    pair = simulate_scan("hexagonal", 32, 32, 0.1e-9, "mild", 3, settings={"lattice_m": "0.31e-9", "steps": "0"})
    assert pair.recipe["surface"]["lattice_m"] == 0.31e-9
    assert pair.recipe["surface"]["steps"] == 0
