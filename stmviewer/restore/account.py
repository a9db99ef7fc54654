"""What is told of a restoration beside its image: scores on hidden pixels, warnings, provenance."""

import platform
from datetime import UTC, datetime
from typing import Any

import numpy as np
import scipy

import stmviewer
from stmviewer.files import file_sha256
from stmviewer.restore import library
from stmviewer.restore.case import Case
from stmviewer.restore.checking import Findings, tip_facts
from stmviewer.restore.choice import Choice
from stmviewer.restore.classical import CELLS, CLASSICAL, ROWS
from stmviewer.restore.filling import separable
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.methods import Methods
from stmviewer.restore.restoration import HiddenScore, Restoration
from stmviewer.restore.running import run
from stmviewer.scan import FloatArray, Progress, Scan
from stmviewer.scan.metrics import Ground, compare
from stmviewer.scan.threads import in_threads


def hidden_scores(
    case: Case, given: Case, mean: FloatArray, info: ModelInfo, methods: Methods, progress: Progress
) -> tuple[HiddenScore, ...]:
    """The model and linear interpolation, of what methods were `given`, against what was hidden; nothing when nothing
    was."""
    if case.truth is None:
        return ()
    truth, hidden = case.truth, ~case.mask.measured

    images = [(info.name, mean)]
    if info.name != "linear":
        known, methods.linear = methods.linear, None  # not needed any more afterwards
        if known is None and separable(given.mask.measured) is not None:
            known = given.guess()  # lines and grids are interpolated linearly for the first guess already
        elif known is None:
            known = run(given, CLASSICAL["linear"], methods.request, progress).mean
        images.append(("linear", known))
    progress.check()
    ground = Ground.of(truth)

    def score(named: tuple[str, FloatArray]) -> HiddenScore:
        q = compare(named[1], truth, hidden, ground, progress)
        return HiddenScore(named[0], q.ssim, q.psnr_db, q.ssim_hidden, q.psnr_hidden_db, q.mae_hidden)

    return tuple(in_threads(score, images, truth.size))


def warnings_of(case: Case, scores: tuple[HiddenScore, ...], info: ModelInfo, findings: Findings) -> tuple[str, ...]:
    found = [check.text for check in findings.checks if check.warns]
    if len(scores) > 1 and scores[1].beats(scores[0]):
        advice = "" if info.name == library.AUTO.name else ": do not use this model on such scans"
        found.append(
            f"On the hidden pixels linear interpolation is better than {scores[0].method} (SSIM "
            f"{scores[1].ssim_hidden:.3f} against {scores[0].ssim_hidden:.3f}){advice}"
        )
    if case.placement is not None and not case.placement.exact:
        found.append("The lines do not lie on rows of square pixels; each is up to half a pixel off and compared there")
    return tuple(found)


def provenance_of(
    scan: Scan,
    result: Restoration,
    info: ModelInfo,
    methods: Methods,
    choice: Choice,
    findings: Findings,
    smaller_tile: int | None,
    seconds: float,
) -> dict[str, Any]:
    request, pattern = result.request, methods.pattern
    used = [methods.load(name) for name in choice.weights]
    networks = [restorer for restorer, _ in used if restorer.info.learned]
    device = str(getattr(networks[0], "device", "cpu")) if networks else "cpu"
    licences = list(dict.fromkeys(r.info.licence for r in networks)) or [info.licence]
    versions = {"stmviewer": stmviewer.__version__, "numpy": np.__version__, "scipy": scipy.__version__}
    if networks:
        import torch

        versions["torch"] = torch.__version__
    return {
        "file": scan.name,
        "file_sha256": file_sha256(scan.path) if scan.path and scan.path.is_file() else "",
        **scan.origin(),
        "channel": result.channel.name,
        "direction": result.channel.direction,
        "steps": request.history.completed().to_list(),
        "task": request.task,
        "request": vars(request).copy(),
        "model": info.name,
        "model_sha256": ", ".join(sha256 for _, sha256 in used if sha256),
        "model_licence": ", ".join(licences),
        "methods": [
            {"name": r.info.name, "weight": round(choice.weights[r.info.name], 6), "sha256": sha256}
            for r, sha256 in used
        ],
        "choice": choice.reason,
        "choice_evidence": {
            **vars(choice.evidence),
            "networks": choice.networks,
            "classical": choice.classical,
        }
        if choice.evidence
        else None,
        "false_heights": methods.heights.facts(),
        "rows": pattern.facts() if pattern is not None and pattern.method == ROWS else None,
        "cells": pattern.facts() if pattern is not None and pattern.method == CELLS else None,
        "tip": tip_facts(methods.tip, result.geometry) if methods.tip else None,
        "self_check": findings.self_check.to_json() if findings.self_check else None,
        "checks": [vars(c).copy() for c in findings.checks],
        "mask": result.mask.pattern,
        "measured_fraction": result.mask.fraction,
        "residual_rms": result.residual_rms,
        "unit": result.unit,
        "scores": [vars(s).copy() for s in result.scores],
        "warnings": list(result.warnings),
        "device": device,
        "smaller_tile": smaller_tile,
        "precision": str(getattr(networks[0], "precision", "float64")) if networks else "float64",
        "versions": versions,
        "platform": platform.platform(terse=True),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
    }
