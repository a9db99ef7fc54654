"""`stmviewer convert`: files and whole folders to another format."""

import argparse
import sys
from pathlib import Path
from typing import Any

from stmviewer.cli.calibration import add_calibration, calibration_of
from stmviewer.cli.console import Console, fault, print_json
from stmviewer.cli.processing import add_process, process_of
from stmviewer.scan import FileError, StmviewerError
from stmviewer.services.converting import FORMATS, Converted, ConvertRequest, Found, convert_all, find_scans
from stmviewer.services.converting_spectra import SPECTRA_FORMATS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="IN", help="scans, or folders of scans and what is below"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument("--format", choices=FORMATS, required=True)
    parser.add_argument("--channel", help="this channel alone; default: all, or the topography where one fits")
    parser.add_argument("--direction", choices=("forward", "backward"), help="this direction alone")
    add_process(parser)
    parser.add_argument("--no-label", action="store_true", help="figures do not say what part was measured")
    parser.add_argument("--json", action="store_true", help="for machines")
    add_calibration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Converts what it can; 2 if any file failed, 1 if any failed by a fault of ours."""
    output: Path = arguments.output
    if output.exists() and not output.is_dir():
        raise FileError(output, "is a file, not a folder", "Give a folder after -o")
    request = ConvertRequest(
        arguments.format,
        output,
        arguments.channel,
        arguments.direction,
        label=not arguments.no_label,
        calibration=calibration_of(arguments),
        process=process_of(arguments),
    )
    found, results = _find(arguments.files, output, spectra=arguments.format in SPECTRA_FORMATS)
    count, failed, faults = len(found) + len(results), len(results), 0
    with Console() as console:
        try:
            for number, done in enumerate(convert_all(found, request, console.progress()), 1):
                error = done.error
                results.append(_facts(done))
                if error is not None:
                    failed += 1
                    faults += not isinstance(error, StmviewerError | MemoryError)
                    console.say(f"stmviewer: {results[-1]['error']}")
                elif not arguments.json:
                    console.clear()
                    print(f"{_listed(done)}: {_counted(done.channels)} of {done.found.file}", flush=True)
                if len(found) > 1 and not sys.stderr.isatty():  # on a terminal one line is written over
                    print(f"stmviewer: {number} of {len(found)} {done.found.file.name}", file=sys.stderr)
        finally:
            if arguments.json:  # also what was done before Ctrl-C
                print_json(results)
    if count > 1 and failed:
        print(f"stmviewer: {failed} of {count} could not be converted", file=sys.stderr)
    return 1 if faults else 2 if failed else 0


def _find(paths: list[Path], output: Path, *, spectra: bool) -> tuple[list[Found], list[dict[str, Any]]]:
    """The files of all paths, each once, and the failures: paths that are missing or empty."""
    found: dict[Path, Found] = {}
    results: list[dict[str, Any]] = []
    for path in paths:
        try:
            for one in find_scans(path, output, spectra=spectra):
                found.setdefault(one.file.resolve(), one)
        except StmviewerError as error:
            print(f"stmviewer: {error}", file=sys.stderr)
            results.append({"file": str(path), "error": str(error)})
    return list(found.values()), results


def _facts(done: Converted) -> dict[str, Any]:
    file = str(done.found.file)
    match done.error:
        case None:
            facts = {"file": file, "output": str(done.written), "channels": done.channels}
            return facts | ({"more_outputs": [str(path) for path in done.more]} if done.more else {})
        case StmviewerError() as error:
            cause = str(error)
            return {"file": file, "error": cause if done.found.file.name in cause else f"{file}: {cause}"}
        case MemoryError():
            return {"file": file, "error": f"{file}: the computer ran out of memory. Close other programs"}
        case error:
            return {"file": file, "error": f"{file}: {fault(error)}"}


def _listed(done: Converted) -> str:
    """The files written: the first by its path, those of further scans by their names."""
    return ", ".join([str(done.written), *(path.name for path in done.more)])


def _counted(channels: int) -> str:
    return "1 channel" if channels == 1 else f"{channels} channels"
