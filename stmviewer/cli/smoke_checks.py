"""The checks of `stmviewer smoke-test`: each gets a folder, returns a line of what it saw, and raises if it fails.

Every library that stmviewer uses is used by one of them: libraries are imported late, so that a window that opens says
little about the rest.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path


def _resources(_: Path) -> str:
    from stmviewer import paths
    from stmviewer.files import open_scan

    samples = sorted((paths.resources() / "samples").glob("*.*"))
    names = [open_scan(s).name for s in samples if s.suffix in (".gwy", ".sxm", ".npz")]
    if not names:
        raise FileNotFoundError(f"no sample scan in {paths.resources() / 'samples'}")
    for part in ("icons/stmviewer.svg", "icons/stmviewer-small.svg", "report/report.html.j2", "selfcheck.json"):
        if not (paths.resources() / part).is_file():
            raise FileNotFoundError(f"{part} is missing in {paths.resources()}")
    for weights in sorted(paths.shipped_models().glob("*.safetensors")):
        if not weights.with_suffix(".md").is_file():
            raise FileNotFoundError(f"{weights.stem} has no card")
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


def _libraries(folder: Path) -> str:
    import hashlib
    import sqlite3
    import ssl

    import jinja2
    import numpy as np
    import pywt
    from cmap import Colormap
    from huggingface_hub import hf_hub_download
    from PIL import Image
    from scipy import ndimage, sparse
    from scipy.sparse.linalg import spsolve
    from skimage.restoration import denoise_nl_means, inpaint_biharmonic

    image = np.linspace(0, 1, 256).reshape(16, 16)
    hole = np.zeros((16, 16), dtype=bool)
    hole[4:6, 4:6] = True
    solved = spsolve(sparse.identity(4, format="csc"), np.ones(4))
    for found in (inpaint_biharmonic(image, hole), denoise_nl_means(image), ndimage.zoom(image, 2), solved):
        if not np.isfinite(found).all():
            raise ValueError("a library computes values that are not finite")
    if not np.allclose(pywt.idwt2(pywt.dwt2(image, "db2"), "db2"), image):
        raise ValueError("PyWavelets does not give back what it transformed")
    Colormap("crameri:batlow").lut(16)
    if jinja2.Template("{{ one }}").render(one=1) != "1":
        raise ValueError("Jinja2 fills no template")
    for suffix in ("png", "tif", "jpg"):
        Image.fromarray((255 * image).astype("uint8")).save(folder / f"picture.{suffix}")
        Image.open(folder / f"picture.{suffix}").load()
    with sqlite3.connect(folder / "notes.sqlite") as notes:
        notes.execute("CREATE TABLE notes (text TEXT)")
    notes.close()
    return (
        f"SciPy, scikit-image, PyWavelets, cmap, Pillow, Jinja2, SQLite {sqlite3.sqlite_version}, "
        f"{ssl.OPENSSL_VERSION}, {hashlib.new('sha256').name}, {hf_hub_download.__name__}"
    )


def _colours(_: Path) -> str:
    from stmviewer.files.colours import DEFAULT, lookup_table
    from stmviewer.gui.colours import MAPS

    names = {name for kind in MAPS.values() for name in kind if ":" in name} | {DEFAULT}
    for name in sorted(names):
        if lookup_table(name).shape != (256, 3):
            raise ValueError(f"the colour map {name} has no 256 colours")
    return f"{len(names)} colour maps"


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


def _samples(folder: Path) -> str:
    """What a first user does: restore the scans that come with the application, and write the results."""
    import numpy as np

    from stmviewer import paths
    from stmviewer.files import open_scan, save_scan
    from stmviewer.restore import FILE_MASK, RestoreRequest
    from stmviewer.restore.pipeline import restore
    from stmviewer.scan import Progress

    done = []
    for name, task, mask in (("double-tip", "repair", None), ("sparse-lines", "sparse", FILE_MASK)):
        scan = open_scan(paths.resources() / "samples" / f"si001h-{name}.gwy")
        result = restore(scan, RestoreRequest(task=task, model="auto", mask=mask), Progress())  # type: ignore[arg-type]
        if not np.isfinite(result.mean).all() or not np.ptp(result.mean) > 0:
            raise ValueError(f"the sample {name} is not restored")
        save_scan(scan, folder / f"{name}.gwy")
        done.append(f"{name} by {result.model}")
    return ", ".join(done)


def _child(_: Path) -> str:
    """The program starts itself once more with a command, as it does for training in the window."""
    from stmviewer import paths

    words = [*paths.command(), "models", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)
    if done.returncode != 0 or "regression" not in done.stdout:
        raise RuntimeError(f"{words} ended with {done.returncode}: {done.stderr[-2000:] or done.stdout[-200:]}")
    return f"{Path(words[0]).name}: {len(done.stdout)} characters of JSON"


def _training(folder: Path) -> str:
    """One step of training in a child process, from a model that is there, on scans made here."""
    import json

    from stmviewer import paths
    from stmviewer.files import save_scan
    from stmviewer.services.restoring import available_models
    from stmviewer.simulate import simulate_scan, to_scan

    start = next((info.name for info in available_models() if info.kind == "regression"), None)
    if start is None:
        raise FileNotFoundError("there is no regression to start from")
    good = folder / "good-scans"
    for k in range(2):
        save_scan(to_scan(simulate_scan("si001h", 160, 160, 0.1e-9, "mild", k)), good / f"scan{k}.gwy")
    words = [*paths.command(), "train", str(good), "--model", "regression", "--from", start, "--train-steps", "1"]
    words += ["--name", "smoke-test", "--models-dir", str(folder / "models")]
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", timeout=900, check=False)
    events = [json.loads(line)["event"] for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or "saved" not in events or not (folder / "models" / "smoke-test.safetensors").is_file():
        raise RuntimeError(f"training ended with {done.returncode}: {done.stderr[-2000:]}")
    return f"one step from {start}: {', '.join(dict.fromkeys(events))}"


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

    seen = grab_window(folder / "window.png")
    return f"window of {seen.width} x {seen.height} pixels opened, drawn and closed ({seen.platform}, Qt {seen.qt})"


CHECKS: dict[str, Callable[[Path], str]] = {
    "resources": _resources,
    "formats": _formats,
    "figures": _figures,
    "libraries": _libraries,
    "colours": _colours,
    "torch": _torch,
    "classical": _classical,
    "models": _models,
    "samples": _samples,
    "judges": _judges,
    "report": _report,
    "child": _child,
    "training": _training,
    "window": _window,
}
