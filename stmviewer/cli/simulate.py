"""`stmviewer simulate`: pairs of pristine and degraded scans."""

import argparse
from pathlib import Path

from stmviewer.cli import likeness
from stmviewer.cli.console import Console
from stmviewer.cli.mask import size
from stmviewer.scan import RequestError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--surface",
        default="si001h",
        metavar="NAME|PATH",
        # written out: importing the simulator for its names would slow every --help down; a test compares
        help="si001h, si111-7x7, ge001, au111, graphite, graphene-moire, hexagonal, square or molecules,"
        " or a good scan or a folder of good scans; default si001h",
    )
    parser.add_argument("--count", type=int, help="pairs to write; default 1 (real images to compare with; default 96)")
    parser.add_argument("--size", default="256", help="pixels a side, or COLUMNSxROWS; default 256")
    parser.add_argument(
        "--pixel-nm", type=float, help="pixel size; default 0.1, or that of the good scans and random coarser ones"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="a parameter of the surface that is not random, in SI units: lattice_m=0.3e-9; may be given often",
    )
    parser.add_argument("--preset", default="realistic", help="reference, mild, severe or realistic")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--unfinished", type=float, default=0.0, metavar="SHARE", help="share of scans that were stopped before the end"
    )
    parser.add_argument("--format", choices=("npz", "sxm", "gwy"), default="npz", help="default npz (forward alone)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write to")
    likeness.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.compare:
        return likeness.run_compare(arguments)
    if arguments.fit:
        return likeness.run_fit(arguments)
    from stmviewer.services.simulating import SimulateRequest, Simulator

    text = arguments.size
    rows, columns = size(text if "x" in text.lower() else f"{text}x{text}", "--size")
    count = 1 if arguments.count is None else arguments.count
    if count < 1:
        raise RequestError(f"--count must be 1 or more, not {count}")
    request = SimulateRequest(
        surface=arguments.surface,
        rows=rows,
        columns=columns,
        count=count,
        pixel_m=None if arguments.pixel_nm is None else arguments.pixel_nm * 1e-9,
        preset=arguments.preset,
        seed=arguments.seed,
        unfinished=arguments.unfinished,
        settings=_settings(arguments.set),
    )
    with Console() as console:
        progress = console.progress()
        simulator = Simulator(request, progress)
        written = list(simulator.save_all(arguments.output, arguments.format, progress))
        console.clear()
    pixels = f"{columns} x {rows} pixels"
    if arguments.pixel_nm is not None or simulator.images is None:
        pixels += f", {arguments.pixel_nm or 0.1:g} nm a pixel"
    print(f"{arguments.output}: {len(written)} pairs of {pixels}")
    if simulator.images is not None and not simulator.images.calibrated:
        print("The good scans do not all know their size or height: 0.06 nm a pixel and 120 pm are taken for those.")
    return 0


def _settings(words: list[str]) -> dict[str, str]:
    settings = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise RequestError(f"--set takes PARAMETER=VALUE, not '{word}'")
        settings[name.strip()] = value.strip()
    return settings
