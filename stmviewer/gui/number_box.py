"""A box for a number that shows no zeros at its end."""

from PySide6.QtWidgets import QDoubleSpinBox


class NumberBox(QDoubleSpinBox):
    """`0.1 nm` where a QDoubleSpinBox of six decimals has `0.100000 nm`."""

    def textFromValue(self, value: float) -> str:
        text, point = super().textFromValue(value), self.locale().decimalPoint()
        return text.rstrip("0").removesuffix(point) if point in text else text
