"""How many images a second this machine trains on, by the size of the network, and how long it waits for them."""

from pathlib import Path
from tempfile import TemporaryDirectory

from stmviewer.evaluate.timing import Timing
from stmviewer.scan import Progress

#: channels of the networks that are timed: small, that of the shipped models, and large
SIZES = ((32, 64, 96), (48, 96, 128), (64, 128, 192))
_STEPS = 16


def bench_training(
    progress: Progress, *, sizes: tuple[tuple[int, ...], ...] = SIZES, steps: int = _STEPS
) -> list[Timing]:
    """A few steps of a regression on simulated surfaces for each size, the first and slowest among them."""
    import torch

    from stmviewer.restore.devices import choose_device
    from stmviewer.restore.networks import UNetConfig, parameter_count
    from stmviewer.restore.weights import build
    from stmviewer.simulate import PristineBank
    from stmviewer.train.dataset import SampleMaker
    from stmviewer.train.loop import Report, Training
    from stmviewer.train.makers import degrader_for
    from stmviewer.train.spec import TrainSpec
    from stmviewer.train.validation import Validation

    device = choose_device("auto")
    progress = progress.part(1.0, "Timing the training", len(sizes))
    bank = PristineBank("si001h", 8, 256)
    found = []
    for channels in sizes:
        torch.manual_seed(0)
        spec = TrainSpec("regression", "regression-bench", "simulated:si001h", channels=channels, steps=steps)
        # as a training makes them: making samples takes the processor a third of the time of a small network
        maker = SampleMaker(
            bank,
            spec.crop,
            spec.repair_share,
            small_share=spec.small_share,
            degrader=degrader_for(device),
            waves=True,
        )
        network = build(spec.kind, UNetConfig(channels=channels, guesses=2, told=True, waves=True))
        training = Training(spec, network, maker, device)
        reports: list[Report] = []
        with TemporaryDirectory() as folder:
            state = Path(folder) / "state.safetensors"
            training.run(state, Validation.of({}, 0), reports.append, progress.part(1 / len(sizes)))
        told = [r for r in reports if r.kind == "train"]
        seconds = told[-1].seconds
        spans = [b.seconds - a for a, b in zip([0.0, *(r.seconds for r in told)], told, strict=False)]
        waiting = sum(r.values["waiting_share"] * span for r, span in zip(told, spans, strict=True)) / seconds
        values = {
            "images_per_second": steps * spec.batch / seconds,
            "waiting_share": waiting,
            "parameters": float(parameter_count(network)),
        }
        what = (
            f"training step, {spec.batch} crops of {spec.crop} x {spec.crop}, {values['parameters'] / 1e6:.1f} M "
            f"parameters, {device.type}"
        )
        note = f"{values['images_per_second']:.1f} images a second, {100 * waiting:.0f} % of it waiting for them"
        step = seconds / steps
        found.append(Timing(what, step, step, step, note, values))
    return found
