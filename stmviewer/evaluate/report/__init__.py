"""The report of a study: HTML, PDF and CSV; and two reports beside each other."""
