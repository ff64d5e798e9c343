"""Regular expressions that are made, and texts for them."""

from __future__ import annotations

from random import Random

TABLE = (
    *("", "a|b", r"(.+):\d+", "a**", "*", "(*)", "|*", "a(?i)*", "(?i)*", "a*(?i)*", "^*", "(", ")", "a)|(b"),
    *("a)(b", "[", "[]", "[]a]", "[^]a]", "[a", "[b-a]", r"[a-\d]", r"[\d-z]", "[-a]", "[a-]", "[a-b-c]"),
    *("[[:alpha:]]", "[[:x:]]", "[[:^alpha:]]", "[:alpha:]", "[[:alpha:", "[[.a.]]", r"\pL", r"\PL"),
    *(r"\p{L}", r"\p{^L}", r"\p{Any}", r"\p", r"\p{", r"\p{Nope}", r"[\pL\d]", r"\z", r"\Z", r"\A", r"\b"),
    *(r"\B", r"\C", r"\G", r"\K", r"\R", r"\X", r"\h", r"\_", r"\-", r"\1", r"\8", r"\01", r"\012", r"\123"),
    *(r"\777", r"\0", r"\x41", r"\x4", r"\x{41}", r"\x{110000}", r"\x{}", r"\xg", r"\Qa.b\E", r"\Qa.b"),
    *(r"\Q\E*", r"\E", r"\Qa\E*", "a{2}", "a{2,}", "a{,2}", "a{2,1}", "a{1001}", "a{1000}", "a{01}"),
    *("a{2}{3}", "a{2}?", "(a{100}){100}", "(a{10}){100}", "a{99999999999}", "{", "{2}", "a{", "a{x}", "a??"),
    *("a+?", "a*+", "(?i)K", "(?i)[k]", "(?i)\u017f", "(?i)[^s]", "(?s).", "(?-s).", "(?m)^a$", "(?U)a+"),
    *("(?U)a+?", "(?:a)", "(?i:a)b", "(?", "(?)", "(?:", "(?i", "(?z)", "(?i-)", "(?i-:a)", "(?-i:A)"),
    *("(?is-mU)a", "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?P<n>a)", "(?<n>a)", "(?P<n>a)(?P<n>b)"),
    *("(?P<>a)", "(?P<1>a)", "(?P<a b>a)", "(?P<n", "(?P=n)", "(?#x)", "(?>a)", "\\", "a\\", "[\\", "é"),
    *("[é-ü]", "😀", ".", "a||b", "(|a)*", "(a|)+", "(a*)*", "(a*)+", "((a?)|(b)?)*", "x*"),
    *("([a-z0-9]+-?)+:6060", "(a+)+$", "(a|aa)+b", "(.*)*", "^(?:a)$", "a^b", "a$b", "$", "^", r"a\bb"),
    *(r"\é", "\t"),
)
"""What is taken or refused for a reason of its own."""

_ATOMS = ("a", "b", "c", ".", "[ab]", "[^a]", r"\w", r"\d", "-", "(?i:a)", "é", "^", "$", r"\b", r"[\Wa]", "(?i:[^k])")
_TIMES = ("*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{2,}")


def expression(random: Random, depth: int = 0) -> str:
    """An expression that Go takes."""
    match random.randrange(9 if depth < 4 else 3):
        case 0 | 1:
            return random.choice(_ATOMS)
        case 2:
            return random.choice(_ATOMS[:8]) + random.choice(_TIMES)
        case 3 | 4 | 5:
            return expression(random, depth + 1) + expression(random, depth + 1)
        case 6:
            return f"({expression(random, depth + 1)}|{expression(random, depth + 1)})"
        case 7:
            return f"({expression(random, depth + 1)}){random.choice(('', *_TIMES))}"
    return f"(?:{random.choice(('', expression(random, depth + 1)))}|{expression(random, depth + 1)})"


def text(random: Random) -> str:
    """A text that some of these match."""
    return "".join(random.choice("aabbc-éAkK\u212a\n1") for _ in range(random.randrange(8)))
