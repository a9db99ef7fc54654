"""`stmviewer plan`: what a scan costs in time, whole and sampled sparsely."""

import argparse

from stmviewer.cli.console import print_json
from stmviewer.cli.mask import size
from stmviewer.scan import RequestError
from stmviewer.scan.planning import FINE_PX, LEAST_PX, Sampling, ScanPlan, plan_scan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pixels", required=True, help="COLUMNSxROWS, such as 512x512")
    parser.add_argument("--size-nm", required=True, help="WIDTHxHEIGHT in nm, such as 50x50")
    parser.add_argument("--line-time", type=float, required=True, help="seconds a line, forward")
    parser.add_argument("--backward-time", type=float, help="seconds a line, backward; default: as forward")
    parser.add_argument("--period-nm", type=float, help="lattice period that is to be seen: 0.768 for rows of Si(001)")
    parser.add_argument(
        "--angle", type=float, metavar="DEGREES", help="direction in which the period repeats, from the fast axis"
    )
    parser.add_argument("--within", type=float, metavar="MINUTES", help="name the sampling that fits into this time")
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    width, height = _lengths(arguments.size_nm)
    plan = plan_scan(
        size(arguments.pixels, "--pixels"),
        (height, width),
        arguments.line_time,
        backward_time_s=arguments.backward_time,
        period_m=None if arguments.period_nm is None else 1e-9 * arguments.period_nm,
        angle_deg=arguments.angle,
    )
    if arguments.within is not None and not arguments.within > 0:
        raise RequestError(f"--within must be a positive number of minutes, not {arguments.within:g}")
    fits = plan.fastest_within(60 * arguments.within) if arguments.within is not None else None
    if arguments.json:
        print_json(_facts(plan, arguments.within, fits))
        return 0
    print(
        f"{plan.columns} x {plan.rows} pixels over {1e9 * plan.width:g} x {1e9 * plan.height:g} nm: "
        f"{1e9 * plan.pixel:.3g} nm a pixel, tip {1e9 * plan.tip_speed:.3g} nm/s"
    )
    period = plan.period is not None
    print(f"{'sampling':<20}{'measured':>9}{'time':>11}{'faster':>8}" + (f"{'samples a period':>18}" if period else ""))
    for one in plan.samplings:
        line = f"{one.pattern:<20}{100 * one.fraction:>7.1f} %{_time(one.seconds):>11}{one.times_faster:>7.2g}x"
        print(line + (f"{one.period_samples:>12.2g}  {_judged(one)}" if one.period_samples is not None else ""))
    for warning in plan.warnings():
        print(f"note: {warning}")
    if arguments.within is not None:
        print(
            f"within {arguments.within:g} min: {fits.pattern}, {_time(fits.seconds)}"
            if fits
            else f"within {arguments.within:g} min: none of these; take fewer pixels or a shorter line time"
        )
    return 0


def _judged(one: Sampling) -> str:
    assert one.period_samples is not None
    if one.period_samples < LEAST_PX:
        return "lattice is guessed"
    return "interpolation does well" if one.period_samples >= FINE_PX else "models gain most"


def _lengths(text: str) -> tuple[float, float]:
    """Width and height in metres of 'WIDTHxHEIGHT' in nm; raises RequestError."""
    width, _, height = text.lower().partition("x")
    try:
        found = 1e-9 * float(width), 1e-9 * float(height or width)
    except ValueError:
        raise RequestError(f"--size-nm {text}: give WIDTHxHEIGHT in nm, such as 50x50") from None
    return found


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{seconds / 60:.1f} min"


def _facts(plan: ScanPlan, within: float | None, fits: Sampling | None) -> dict[str, object]:
    return {
        "pixels": [plan.columns, plan.rows],
        "size_m": [plan.width, plan.height],
        "pixel_m": plan.pixel,
        "tip_speed_m_per_s": plan.tip_speed,
        "period_pixels": plan.period_px,
        "samplings": [
            {
                "pattern": s.pattern,
                "measured_fraction": s.fraction,
                "acquisition_time_s": s.seconds,
                "times_faster": s.times_faster,
                "samples_per_period": s.period_samples,
                "lookalike": None if s.lookalike is None else {"period_m": s.lookalike[0], "angle_deg": s.lookalike[1]},
            }
            for s in plan.samplings
        ],
        "warnings": plan.warnings(),
        **({"within_minutes": within, "fits": fits.pattern if fits else None} if within is not None else {}),
    }
