"""Restoration: the request, its result, and the models. Importing this package does not import torch."""

from stmviewer.restore.info import ModelInfo
from stmviewer.restore.request import FILE_MASK, RestoreRequest, Task
from stmviewer.restore.restoration import HiddenScore, Restoration
from stmviewer.restore.titles import in_titles, title

__all__ = ["FILE_MASK", "HiddenScore", "ModelInfo", "Restoration", "RestoreRequest", "Task", "in_titles", "title"]
