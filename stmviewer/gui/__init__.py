"""The window: the only place that imports PySide6 and pyqtgraph. It calls services and never an algorithm."""
