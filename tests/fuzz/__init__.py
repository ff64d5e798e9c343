"""Fuzzing: whatever comes in from outside is taken or refused, and no other exception escapes from a parser.

    python -m tests.fuzz                                   every grammar, 1,000 cases each
    python -m tests.fuzz --cases 100000 configuration      one grammar, many cases
    python -m tests.fuzz --seed 7 --only 4711 targets      one case again, which is also printed

A *grammar* is one kind of input: how to make cases of it (mostly valid documents that were damaged, with what is known
to break parsers put in), and the function of the exporter that reads it. That function may return, or raise one of the
documented errors (`refusals`). Anything else that it raises is an escape, and so is a case that takes longer than
`runner.LONGEST` seconds of processor time.

To add a grammar: a module in this package with a tuple `GRAMMARS` of `Grammar`. Nothing else: modules are found by that
name, the command and `test_fuzz.py`, which gives each grammar a few seconds, run them all.

- `grammar.py`: `Grammar`, and where all of them are listed.
- `runner.py`: runs cases, counts outcomes. A case is made from a seed and its number alone, so each can be made again.
- `nasty.py`: texts and bytes that have broken parsers, and how a document is damaged.
"""
