"""Numbered papers, and what else is drawn for paper: issued, drawn, sent, found again."""
