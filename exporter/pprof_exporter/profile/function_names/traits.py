"""What the name of a function says about a frame. Every rule about names that sums of stacks need is here.

Rules are applied once for each name, and remembered (`reader/names.py`); sums then compare bits.
"""

from __future__ import annotations

import re
from enum import IntEnum, IntFlag

from pprof_exporter.profile.function_names.names import is_plumbing

LOST_FUNCTIONS = ("runtime/pprof.lostProfileEvent", "runtime._LostExternalCode", "runtime._LostSIGPROFDuringAtomic64")
"""Leaf functions that stand for events which could not be recorded (runtime/cpuprof.go, runtime/pprof/proto.go)."""
OPAQUE_FUNCTIONS = ("runtime._System", "runtime._GC", "runtime._ExternalCode")
"""Functions that stand for a stack that could not be unwound (runtime/proc.go sigprof): callers of the one known
function, or of _ExternalCode if that function is not Go's."""
# Prefixes, since the stack of a thread can have a closure without the function around it:
# `runtime.gcDrain < runtime.gcBgMarkWorker.func2 < runtime.systemstack`, `runtime.gcMarkTermination.func3 < ...`.
GC_FUNCTIONS = (
    "runtime.gcBgMarkWorker",
    "runtime.gcAssistAlloc",
    "runtime.gcDrain",
    "runtime.gcStart",
    "runtime.gcMarkDone",
    "runtime.gcMarkTermination",
    "runtime.bgsweep",
    "runtime.bgscavenge",
)
"""Prefixes of functions that run only for GC (runtime/mgc.go, mgcmark.go, mgcsweep.go, mgcscavenge.go)."""
# The function that the main goroutine starts with (runtime/proc.go newproc of runtime.mainPC), and no other one.
_MAIN = "runtime.main"
_GOEXIT = "runtime.goexit"
# Entries to system calls of the Windows runtime, Go 1.16 to 1.27. semawakeup, netpoll and the yields are system calls
# like the others; a busy Windows build has 5 to 10 % of its samples in them.
_BLOCKED = re.compile(
    r"runtime\.(?:cgocall|stdcall\d?|stdcall_no_g|asmstdcall.*|asmcgocall.*|semawakeup|semasleep|osyield.*|usleep.*|"
    r"netpoll)|syscall\.(?:Syscall.*|syscalln)|(?:internal/runtime/syscall/windows\.).*"
)
# Packages of the standard library that appear on ordinary stacks, by the release that introduced them.
_SINCE_1_24 = ("internal/sync.", "internal/runtime/maps.")
_SINCE_1_23 = ("internal/runtime/",)


class Trait(IntFlag):
    """What a name says about the frame, whatever stands around it."""

    PLUMBING = 1 << 0
    """Of the runtime or a synchronisation package."""
    GOEXIT = 1 << 1
    MAIN = 1 << 2
    """What the main goroutine starts with."""
    BLOCKED = 1 << 3
    """An entry to a system call: on Windows, a thread that can wait there without using CPU."""
    COLLECTOR = 1 << 4
    """Runs only for garbage collection."""
    LOST = 1 << 5
    OPAQUE = 1 << 6
    RUNTIME = 1 << 7
    SINCE_1_23 = 1 << 8
    """Of a package that is new in Go 1.23."""
    SINCE_1_24 = 1 << 9
    BLIND = 1 << 10
    """Not of a name: of a location of which the profile names no function."""


class Role(IntEnum):
    """What a frame says about the state of its goroutine; see `goroutines.py`. 0 is kept for the end of a stack."""

    OTHER = 1
    UNNAMED = 2
    """A leaf without a symbol."""
    RUNTIME = 3
    PARK = 4
    PARK_UNLOCK = 5
    """Inlined into its callers, or its own frame; it does not show the reason."""
    CALL_OUT = 6
    """Of the runtime, and in a system call or a call of C."""
    SYSTEM_CALL = 7
    COROUTINE = 8
    SEMAPHORE = 9
    LOCK = 10
    LOCK_OF_WAIT_GROUP = 11
    WAIT_GROUP = 12
    CHAN_RECEIVE = 13
    CHAN_SEND = 14
    SELECT = 15
    IO_WAIT = 16
    COND = 17
    SLEEP = 18


ROLE_SHIFT = 16
"""The role of a name is in the bits of its traits from this one on."""

_ROLES: dict[str, Role] = {
    "runtime.chanrecv": Role.CHAN_RECEIVE,
    "runtime.chansend": Role.CHAN_SEND,
    "runtime.selectgo": Role.SELECT,
    "runtime.block": Role.SELECT,
    "runtime.netpollblock": Role.IO_WAIT,
    "sync.runtime_notifyListWait": Role.COND,
    "runtime.notifyListWait": Role.COND,
    "time.Sleep": Role.SLEEP,
    "runtime.timeSleep": Role.SLEEP,
    "runtime.gopark": Role.PARK,
    "runtime.goparkunlock": Role.PARK_UNLOCK,
    "runtime.semacquire1": Role.SEMAPHORE,
}
_LOCKS = ("sync.", "internal/sync.", "internal/poll.")
# A coroutine of iter.Pull yields without parking (runtime/coro.go coroswitch).
_COROUTINE = "runtime.coro"
# On Windows every system call, and on all systems every call of C, is runtime.cgocall. os/signal waits in
# runtime.notetsleepg, which the runtime itself counts as a system call.
_CALL_OUT = ("runtime.cgocall", "runtime.notetsleepg")
_SYSTEM_CALL = re.compile(
    r"(?:internal/runtime/|runtime/internal/)?syscall(?:/\w+)?\.(?:[rR]aw)?(?:Vfork)?[sS]ys(?:call|vicall)\w*"
)


def traits_of(name: str) -> int:
    """All traits of a name, and its role."""
    traits = (
        is_plumbing(name) * Trait.PLUMBING
        | (name == _GOEXIT) * Trait.GOEXIT
        | (name == _MAIN) * Trait.MAIN
        | is_blocked(name) * Trait.BLOCKED
        | name.startswith(GC_FUNCTIONS) * Trait.COLLECTOR
        | (name in LOST_FUNCTIONS) * Trait.LOST
        | (name in OPAQUE_FUNCTIONS) * Trait.OPAQUE
        | name.startswith("runtime.") * Trait.RUNTIME
        | name.startswith(_SINCE_1_23) * Trait.SINCE_1_23
        | name.startswith(_SINCE_1_24) * Trait.SINCE_1_24
    )
    return int(traits) | role_of(name) << ROLE_SHIFT


def is_blocked(name: str) -> bool:
    """Whether a function is an entry to a system call: on Windows, a thread can wait there without using CPU."""
    return _BLOCKED.fullmatch(name) is not None


def role_of(name: str) -> Role:
    """What a frame with this name says about the state of its goroutine."""
    if role := _ROLES.get(name):
        return role
    if name in _CALL_OUT:
        return Role.CALL_OUT
    if _SYSTEM_CALL.fullmatch(name):
        return Role.SYSTEM_CALL
    if name.startswith(_COROUTINE):
        return Role.COROUTINE
    if name.startswith("runtime."):
        return Role.RUNTIME
    if name.startswith(_LOCKS):
        return Role.LOCK_OF_WAIT_GROUP if "WaitGroup" in name else Role.LOCK
    return Role.WAIT_GROUP if "WaitGroup" in name else Role.OTHER
