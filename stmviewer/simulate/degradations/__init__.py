"""What goes wrong while scanning: one small class each. Tip, scanner, feedback and electronics have a module each."""

from stmviewer.simulate.degradations.degradation import Degradation, describe
from stmviewer.simulate.degradations.dilation import DilatedTip
from stmviewer.simulate.degradations.drift import Drift
from stmviewer.simulate.degradations.electronics import MainsHum, Quantisation, Spikes, Unfinished
from stmviewer.simulate.degradations.feedback import FeedbackLag, FeedbackOvershoot
from stmviewer.simulate.degradations.noise import LineNoise, LoopNoise, WhiteNoise
from stmviewer.simulate.degradations.scanner import Bow, LineMisalignment, LineOffsets, LineSlopes, PlaneTilt, Scars
from stmviewer.simulate.degradations.tip_change import PickedUpAdsorbate, TipChange, TipSwitching
from stmviewer.simulate.degradations.tips import BluntTip, DullTip, MultiTip, SeveralTips

__all__ = [
    "BluntTip",
    "Bow",
    "Degradation",
    "DilatedTip",
    "Drift",
    "DullTip",
    "FeedbackLag",
    "FeedbackOvershoot",
    "LineMisalignment",
    "LineNoise",
    "LineOffsets",
    "LineSlopes",
    "LoopNoise",
    "MainsHum",
    "MultiTip",
    "PickedUpAdsorbate",
    "PlaneTilt",
    "Quantisation",
    "Scars",
    "SeveralTips",
    "Spikes",
    "TipChange",
    "TipSwitching",
    "Unfinished",
    "WhiteNoise",
    "describe",
]
