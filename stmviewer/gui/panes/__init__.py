"""The image panes: one image each, linked in physical coordinates, with scale bar, cross-hair and colour bar."""
