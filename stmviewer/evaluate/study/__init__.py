"""A study: sets of scans, what models and classical methods make of them, and how good that is, with intervals.

`request` says what is asked, `sources` reads the images, `run` restores and scores them, `result` is what comes out.
"""
