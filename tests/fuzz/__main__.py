"""Run grammars by hand: cases, seconds and outcomes of each; exit code 1 if anything escaped. See the package."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.fuzz.grammar import grammars
from tests.fuzz.runner import made, run


def main(argv: Sequence[str]) -> int:
    """Run the grammars that are named, or all."""
    known = grammars()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="GRAMMAR", help=f"of {', '.join(known)}; all by default")
    parser.add_argument("--cases", type=int, default=1_000, help="cases of each grammar (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="other cases for another seed (%(default)s)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="run one case, and print it")
    options = parser.parse_args(argv)
    unknown = sorted(set(options.names) - set(known))
    if unknown:
        parser.error(f"no grammar {unknown[0]}; choose from {', '.join(known)}")
    print(f"{'grammar':24}{'cases':>9}{'seconds':>9}{'accepted':>10}{'refused':>9}{'longest':>9}{'escaped':>9}")
    escaped = 0
    for name in options.names or known:
        grammar = known[name]
        if options.only is not None:
            print(repr(made(grammar, options.seed, options.only)))
        numbers = range(options.cases) if options.only is None else [options.only]
        found = run(grammar, numbers, seed=options.seed)
        print(
            f"{name:24}{found.cases:9,}{found.seconds:9.1f}{found.accepted:10,}{found.refused:9,}"
            f"{found.longest:8.2f}s{len(found.escapes):9,}",
            flush=True,
        )
        for number, why in found.escapes:
            print(f"\ncase {number}, again with --seed {options.seed} --only {number} {name}:\n{why}", flush=True)
        escaped += len(found.escapes)
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
