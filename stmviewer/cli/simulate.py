"""`stmviewer simulate`: pairs of pristine and degraded scans."""

import argparse
import json
from pathlib import Path

from stmviewer.cli.console import Console
from stmviewer.cli.mask import size
from stmviewer.scan import Channel, RequestError, Scan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--surface",
        default="si001h",
        metavar="NAME",
        # written out: importing the simulator for its names would slow every --help down; a test compares
        help="si001h, si111-7x7, ge001, au111, graphite, graphene-moire, hexagonal, square or molecules;"
        " default si001h",
    )
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--size", default="256", help="pixels a side, or COLUMNSxROWS; default 256")
    parser.add_argument("--pixel-nm", type=float, default=0.1, help="pixel size; default 0.1")
    parser.add_argument("--preset", default="realistic", help="reference, mild, severe or realistic")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=("npz", "gwy"), default="npz")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write to")


def run(arguments: argparse.Namespace) -> int:
    from stmviewer.files import save_scan
    from stmviewer.simulate import simulate_scan, to_scan

    text = arguments.size
    rows, columns = size(text if "x" in text.lower() else f"{text}x{text}", "--size")
    if arguments.count < 1:
        raise RequestError(f"--count must be 1 or more, not {arguments.count}")
    with Console() as console:
        progress = console.progress().part(1.0, "Simulating", arguments.count)
        for k in range(arguments.count):
            pair = simulate_scan(
                arguments.surface, rows, columns, arguments.pixel_nm * 1e-9, arguments.preset, (arguments.seed, k)
            )
            scan = to_scan(pair)
            if arguments.format == "npz":
                scan = _as_pair(scan)
            name = f"{arguments.surface}-{arguments.preset}-{arguments.seed}-{k:05d}"
            save_scan(scan, arguments.output / f"{name}.{arguments.format}")
            recipe = arguments.output / f"{name}.json"
            recipe.write_text(json.dumps(pair.recipe, indent=1) + "\n", encoding="utf-8")
            progress.tick()
        console.clear()
    print(
        f"{arguments.output}: {arguments.count} pairs of {columns} x {rows} pixels, {arguments.pixel_nm:g} nm a pixel"
    )
    return 0


def _as_pair(scan: Scan) -> Scan:
    """The NPZ keys: `raw` is the degraded image, `restored` what a perfect restoration would give."""
    degraded, pristine = scan.channel("Z", "forward"), scan.channel("Z pristine")
    restored = Channel(degraded.name, pristine.unit, pristine.data, "forward", "restored")
    return Scan([degraded, restored], scan.geometry, bias_v=scan.bias_v, provenance=scan.provenance)
