"""Judging a result: pure functions of a difference or a cell, with frozen results."""
