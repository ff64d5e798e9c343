"""Text from outside as Go and Prometheus read it: files, YAML, JSON, URLs and regular expressions.

Each reader returns, or raises one documented error with a sentence, whatever it is given;
`tests/fuzz` holds it to that.
"""
