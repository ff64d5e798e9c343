"""Reads profile.proto into columns, compiled or in Python, with the same results and refusals."""
