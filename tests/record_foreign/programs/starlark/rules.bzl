"""A small busy extension: loops, comprehensions, sorting and a rule."""

def _weigh(number):
    total = 0
    for step in range(400):
        total = (total * 31 + step * number) % 1000003
    return total

def _first(row):
    return row[0]

def _sorted_rows(count, seed):
    rows = [(_weigh(place + seed), "row-%d" % place) for place in range(count)]
    return sorted(rows, key = _first)

def _join(rows):
    return ",".join([name for _, name in rows])

def _word_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".txt")
    ctx.actions.write(out, _join(_sorted_rows(40, ctx.attr.seed)))
    return [DefaultInfo(files = depset([out]))]

word = rule(implementation = _word_impl, attrs = {"seed": attr.int()})

def declare(count):
    for number in range(count):
        word(name = _join(_sorted_rows(60, number))[:12].replace(",", "_") + "-%d" % number, seed = number)
