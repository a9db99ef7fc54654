"""What each processing step does: functions from image to image, and the table of them. No Qt, no files.

scipy and scikit-image are loaded by the steps that need them, when they run.
"""
