"""Makes a Go program up: its functions, and stacks as its call tree has them. The same for a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from benchmarks.fleet.wire import Binary, Function, Location

MODULE = "github.com/acme/shop"
_AREAS = (
    "cart",
    "catalog",
    "payment",
    "search",
    "session",
    "stock",
    "pricing",
    "shipping",
    "audit",
    "cache",
    "storage",
)
_LAYERS = ("", "/internal/api", "/internal/model", "/pkg/client", "/pkg/codec", "/internal/worker", "/pkg/index")
_TYPES = ("Service", "Handler", "Store", "Reader", "Writer", "Client", "Pool", "Index", "Batch", "Encoder", "Session")
_VERBS = ("Get", "List", "Update", "Decode", "Encode", "Flush", "Lookup", "Merge", "Append", "Validate", "Load", "run")
_THINGS = ("Order", "Item", "Page", "Block", "Key", "User", "Price", "Series", "Row", "Event", "Token", "Chunk")
_CLOSURES = ("", "", "", ".func1", ".func2", ".func1.1", ".deferwrap1")

# Outermost frames, the innermost of them first. Go leaves out runtime.goexit below them.
ROOTS = (
    (
        "net/http.HandlerFunc.ServeHTTP",
        "net/http.(*ServeMux).ServeHTTP",
        "net/http.serverHandler.ServeHTTP",
        "net/http.(*conn).serve",
    ),
    (
        "google.golang.org/grpc.(*Server).processUnaryRPC",
        "google.golang.org/grpc.(*Server).handleStream",
        "google.golang.org/grpc.(*Server).serveStreams.func2.1",
    ),
    ("golang.org/x/sync/errgroup.(*Group).Go.func1",),
    ("main.run", "main.main", "runtime.main"),
    ("github.com/acme/shop/internal/worker.(*Pool).loop", "github.com/acme/shop/internal/worker.NewPool.gowrap1"),
)
# Innermost frames, the innermost first.
ALLOCATING = (
    ("bytes.growSlice", "bytes.(*Buffer).grow", "bytes.(*Buffer).Write"),
    ("encoding/json.(*decodeState).literalStore", "encoding/json.(*decodeState).value"),
    ("strings.(*Builder).grow", "strings.(*Builder).WriteString"),
    ("bufio.NewReaderSize",),
    (
        "internal/runtime/maps.newGroups",
        "internal/runtime/maps.(*table).grow",
        "internal/runtime/maps.(*Map).growToTable",
    ),
    (),
    (),
)
RUNNING = (
    ("runtime.memmove",),
    ("runtime.nextFreeFast", "runtime.mallocgc", "runtime.makeslice"),
    ("runtime.mapaccess2_faststr",),
    ("internal/runtime/syscall.Syscall6", "syscall.RawSyscall6", "syscall.Syscall", "syscall.write"),
    ("encoding/json.stateInString", "encoding/json.checkValid"),
    ("crypto/internal/fips140/sha256.blockAVX2",),
    (),
    (),
)
# A stack of its own: no caller is on it.
COLLECTING = ("runtime.scanobject", "runtime.gcDrain", "runtime.gcBgMarkWorker.func2", "runtime.systemstack")
WAITING = (
    (
        "runtime.gopark",
        "runtime.netpollblock",
        "internal/poll.runtime_pollWait",
        "internal/poll.(*pollDesc).wait",
        "internal/poll.(*FD).Read",
        "net.(*netFD).Read",
        "net.(*conn).Read",
        "bufio.(*Reader).fill",
    ),
    ("runtime.gopark", "runtime.selectgo"),
    ("runtime.gopark", "runtime.chanrecv", "runtime.chanrecv1"),
    (
        "runtime.gopark",
        "runtime.goparkunlock",
        "runtime.semacquire1",
        "sync.runtime_SemacquireMutex",
        "sync.(*Mutex).lockSlow",
    ),
    ("runtime.gopark", "time.Sleep"),
)
LOCKING = (
    ("sync.(*Mutex).Unlock",),
    ("sync.(*RWMutex).RUnlock",),
    ("runtime.chanrecv1",),
    ("runtime.selectgo",),
    ("sync.(*WaitGroup).Wait",),
)

_START, _LIMIT = 0x400000, 0x2A00000
# Of a hundred call sites, so many hold a call that was inlined, and so many are of a function that is called elsewhere.
_INLINED, _SHARED = 18, 65
# Share of the calls near the end of a stack that are on another one; where the known calls end, and how many stacks do.
_KNOWN = 0.4
_TRUNK, _ENDS = 5, 0.8


@dataclass(slots=True)
class _Node:
    """A frame in the call tree."""

    location: int
    callees: list[_Node] = field(default_factory=list)


class MadeProgram:
    """A program of about so many functions."""

    def __init__(self, name: str, functions: int, seed: str) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - not a secret
        build = f"{self.chance.getrandbits(160):040x}"
        self.binary = Binary(f"/usr/local/bin/{name}", build, _START, _LIMIT)
        self._named: dict[str, int] = {}
        self._entries: dict[str, int] = {}
        self._own = [self._function(self._invent(number)) for number in range(functions)]
        self._roots = [(_Node(-1), self.whole(names)) for names in ROOTS]

    def _invent(self, number: int) -> str:
        pick = self.chance.choice
        package = f"{MODULE}/{pick(_AREAS)}{pick(_LAYERS)}"
        method = f"{pick(_VERBS)}{pick(_THINGS)}{pick(_CLOSURES)}"
        return f"{package}.(*{pick(_TYPES)}).{method}" if number % 4 else f"{package}.{method}"

    def _function(self, name: str) -> int:
        """The index of a function, which is added if it is new."""
        if name not in self._named:
            package = name.rpartition("/")[0] + "/" if "/" in name else ""
            last = name.removeprefix(package).partition(".")[0]
            folder = "/src/shop" if name.startswith(MODULE) else "/usr/local/go/src"
            typed = name.partition("(*")[2].partition(")")[0].lower() or last
            file = f"{folder}/{package.removeprefix(MODULE + '/')}{last}/{typed}.go"
            self._named[name] = len(self.binary.functions)
            self.binary.functions.append(Function(name, file, self.chance.randint(20, 900)))
        return self._named[name]

    def _location(self, *functions: int) -> int:
        """A new call site within these functions, the innermost inlined one first."""
        lines = tuple(
            (index, self.binary.functions[index].start_line + self.chance.randint(1, 60)) for index in functions
        )
        address = self.chance.randrange(_START + 0x1000, _LIMIT)
        self.binary.locations.append(Location(address, lines))
        return len(self.binary.locations) - 1

    def _entry(self, name: str) -> int:
        """The one call site of a function of the library."""
        if name not in self._entries:
            self._entries[name] = self._location(self._function(name))
        return self._entries[name]

    def _call(self) -> int:
        """A call site of the program's own code: a new one, or one that other callers lead to as well."""
        draw = self.chance.randrange(100)
        if draw < _SHARED and len(self.binary.locations) > len(self._own):
            return self.chance.randrange(len(self._entries), len(self.binary.locations))
        inlined = self.chance.choice(self._own)
        outer = self.chance.choice(self._own)
        return self._location(inlined, outer) if draw > 100 - _INLINED else self._location(outer)

    def whole(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """The stack of these functions alone."""
        return tuple(self._entry(name) for name in names)

    def stacks(self, count: int, leaves: tuple[tuple[str, ...], ...], depth: int) -> list[tuple[int, ...]]:
        """So many different stacks, the innermost location first, `depth` deep in the mean and from 10 to 40."""
        found: dict[tuple[int, ...], None] = {}
        while len(found) < count:
            leaf = self.whole(self.chance.choice(leaves))
            tree, root = self.chance.choice(self._roots)
            deep = min(40, max(10, round(self.chance.gauss(depth, depth / 3)))) - len(leaf) - len(root)
            found[*leaf, *reversed(self._walk(tree, max(1, deep))), *root] = None
        return list(found)

    def _walk(self, node: _Node, deep: int) -> list[int]:
        """A path down the call tree: along known calls, with new ones only near its end."""
        path: list[int] = []
        new_from = deep - 1 - int(self.chance.expovariate(1.0))
        for level in range(deep):
            if node.callees and (level < new_from or self.chance.random() < _KNOWN):
                # Some callees are called more than others.
                node = node.callees[int(len(node.callees) * self.chance.random() ** 2)]
            elif level < new_from and level > _TRUNK and self.chance.random() < _ENDS:
                break
            else:
                node.callees.append(_Node(self._call()))
                node = node.callees[-1]
            path.append(node.location)
        return path
