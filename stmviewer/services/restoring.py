"""Restoring one scan, the same from the window, a batch and the command line."""

from stmviewer.restore import ModelInfo, Restoration, RestoreRequest
from stmviewer.scan import Scan
from stmviewer.services.jobs import Context, Job


def available_models() -> list[ModelInfo]:
    """Every model that can be chosen, the recommended one first. Reads cards, not weights; does not load torch."""
    from stmviewer.restore.library import model_infos

    return model_infos()


def restore_job(scan: Scan, request: RestoreRequest) -> Job:
    """A job that restores `scan` as asked; its result is a `Restoration`."""

    def job(context: Context) -> Restoration:
        # torch is loaded here, inside the job, never by the window
        context.progress.check()
        from stmviewer.restore.pipeline import restore

        return restore(scan, request, context.progress)

    return job


def device_job() -> Job:
    """A job that names the device that `auto` would use, such as 'CPU, 2 threads' or 'NVIDIA H100, 70 GB free'."""

    def job(_: Context) -> str:
        from stmviewer.restore.devices import describe_device

        return describe_device("auto")

    return job
