"""The list of files at the left: thumbnails, filters, order, stars and notes, the state of each tip."""
