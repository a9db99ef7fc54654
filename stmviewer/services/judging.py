"""What the judge of tips says of a scan, for the window, the console and batches."""

from stmviewer.evaluate.tip_state import TipState, judge_channel
from stmviewer.scan import Channel, Scan
from stmviewer.services.jobs import Context, Job

__all__ = ["TipState", "tip_state", "tip_state_job"]


def tip_state(scan: Scan, channel: Channel | None = None) -> TipState:
    """The state of the tip that measured `channel` (None: the topography).

    Loads torch. Raises RequestError for channels that cannot be judged: too small, constant, hardly measured.
    """
    return judge_channel(channel or scan.channel(), upwards=scan.scan_direction == "up")


def tip_state_job(scan: Scan, channel: Channel) -> Job:
    """A job whose result is the `TipState` of what `channel` was measured with."""

    def job(context: Context) -> TipState:
        context.progress.check()
        return tip_state(scan, channel)

    return job
