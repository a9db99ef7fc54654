"""`stmviewer smoke-test`: does every part of this installation work? JSON on stdout, exit 0 or 1."""

import argparse
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from stmviewer.cli.console import print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", choices=tuple(_CHECKS), help="this check alone")
    parser.add_argument("--no-window", action="store_true", help="leave the window out (no Qt on this machine)")


def run(arguments: argparse.Namespace) -> int:
    chosen = [arguments.only] if arguments.only else [c for c in _CHECKS if c != "window" or not arguments.no_window]
    report: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            begun = time.perf_counter()
            try:
                result: dict[str, object] = {"ok": True, "detail": _CHECKS[name](Path(folder))}
            except Exception as error:
                result = {"ok": False, "detail": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
            report[name] = {**result, "seconds": round(time.perf_counter() - begun, 3)}
    good = all(r["ok"] for r in report.values())
    print_json({"ok": good, "checks": report})
    return 0 if good else 1


def _resources(_: Path) -> str:
    from stmviewer import paths
    from stmviewer.files import open_scan

    samples = sorted((paths.resources() / "samples").glob("*.*"))
    names = [open_scan(s).name for s in samples if s.suffix in (".gwy", ".sxm", ".npz")]
    if not names:
        raise FileNotFoundError(f"no sample scan in {paths.resources() / 'samples'}")
    return ", ".join(names)


def _formats(folder: Path) -> str:
    import numpy as np

    from stmviewer.files import open_scan, save_scan
    from stmviewer.files.matrix_parameters import package_version
    from stmviewer.simulate import simulate_scan, to_scan

    scan = to_scan(simulate_scan("si001h", 64, 64, 0.1e-9, "realistic", 0))
    for suffix in ("gwy", "npz", "tif", "sxm", "h5", "csv"):
        back = open_scan(save_scan(scan, folder / f"scan.{suffix}"))
        if not np.allclose(back.channel().data, scan.channel().data, rtol=1e-6, atol=1e-15):
            raise ValueError(f"{suffix} does not read back what was written")
    return f"gwy, npz, tif, sxm, h5, csv written and read; access2theMatrix {package_version()}"


def _figures(folder: Path) -> str:
    from stmviewer.files.figures import save_figure
    from stmviewer.simulate import simulate_scan, to_scan

    scan = to_scan(simulate_scan("si001h", 64, 64, 0.1e-9, "realistic", 0))
    sizes = [save_figure(scan, folder / f"figure.{suffix}").stat().st_size for suffix in ("png", "pdf", "svg")]
    return f"png, pdf, svg of {', '.join(map(str, sizes))} bytes"


def _torch(_: Path) -> str:
    import torch

    net = torch.nn.Conv2d(1, 4, 3)
    optimizer = torch.optim.AdamW(net.parameters())
    net(torch.randn(1, 1, 16, 16)).square().mean().backward()
    optimizer.step()
    return f"torch {torch.__version__}: convolution, backward, optimizer step"


def _classical(_: Path) -> str:
    return _restore_all(learned=False)


def _models(_: Path) -> str:
    return _restore_all(learned=True)


def _restore_all(*, learned: bool) -> str:
    import numpy as np

    from stmviewer.restore import RestoreRequest
    from stmviewer.restore.pipeline import restore
    from stmviewer.scan import Progress
    from stmviewer.services.restoring import available_models
    from stmviewer.simulate import simulate_scan, to_scan

    scan = to_scan(simulate_scan("si001h", 64, 64, 0.1e-9, "realistic", 0))
    done = []
    for info in available_models():
        if info.learned != learned:
            continue
        for task in info.tasks:
            mask = "lines:2" if task == "sparse" else None
            result = restore(scan, RestoreRequest(task=task, model=info.name, mask=mask), Progress())
            if not np.isfinite(result.mean).all():
                raise ValueError(f"{info.name} gives values that are not finite")
        done.append(info.name)
    if not done:
        raise FileNotFoundError("there is no model")
    return ", ".join(done)


def _judges(_: Path) -> str:
    from stmviewer.evaluate import embedding
    from stmviewer.evaluate.tip_state import judge
    from stmviewer.scan import Progress
    from stmviewer.simulate import simulate_scan

    image = simulate_scan("si001h", 96, 96, 0.08e-9, "realistic", 0).degraded
    features = embedding.embed([image], ["one"], Progress()).features
    return f"{judge(image).text}; {features.shape[1]} features"


def _report(folder: Path) -> str:
    from stmviewer.evaluate.study.request import StudyRequest
    from stmviewer.files import save_scan
    from stmviewer.scan import Progress
    from stmviewer.services.reporting import Outputs, run_report
    from stmviewer.simulate import simulate_scan, to_scan

    for k in range(2):
        save_scan(to_scan(simulate_scan("si001h", 64, 64, 0.1e-9, "realistic", k)), folder / "good" / f"place{k}_0.gwy")
    request = StudyRequest(folder / "good", models=("cubic",), tasks=("lines:4",))
    _, files = run_report(request, Outputs(folder / "report.html", folder / "report.json"), Progress())
    return ", ".join(f"{p.suffix[1:]} of {p.stat().st_size} bytes" for p in files)


def _window(folder: Path) -> str:
    from stmviewer.gui.smoke import grab_window

    width, height = grab_window(folder / "window.png")
    return f"window of {width} x {height} pixels opened, drawn and closed"


_CHECKS: dict[str, Callable[[Path], str]] = {
    "resources": _resources,
    "formats": _formats,
    "figures": _figures,
    "torch": _torch,
    "classical": _classical,
    "models": _models,
    "judges": _judges,
    "report": _report,
    "window": _window,
}
