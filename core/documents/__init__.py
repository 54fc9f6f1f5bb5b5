"""Documents on paper: what is in one (``sheet``), and how it becomes a PDF (``drawing``); a
business's own ``letterhead`` stands above."""
