"""The state of goroutines, by their stacks.

The text of `goroutine?debug=2` names the state, but stops the world while it is written. The binary profile does not
name it, but the caller of `runtime.gopark` shows why a goroutine is parked. What a name says is in
`function_names/traits.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

from pprof_exporter.profile.aggregate import value_by_beginning
from pprof_exporter.profile.function_names.traits import Role, Trait
from pprof_exporter.profile.profile import Profile


class GoroutineState(StrEnum):
    """State of a goroutine. The names follow `goroutine?debug=2` (runtime/runtime2.go waitReasonStrings)."""

    RUNNING = "running"
    """Running or runnable: the profile does not show which."""
    SYSCALL = "syscall"
    """In a system call, or in a call of C."""
    IO_WAIT = "io_wait"
    """Waits for the network poller: a connection, a listener, a pipe."""
    CHAN_RECEIVE = "chan_receive"
    CHAN_SEND = "chan_send"
    SELECT = "select"
    MUTEX = "mutex"
    """Waits for a lock: sync.Mutex, sync.RWMutex, or that of a file descriptor."""
    WAIT_GROUP = "wait_group"
    COND = "cond"
    SLEEP = "sleep"
    RUNTIME = "runtime"
    """Parked by the runtime for its own work: a GC assist, or waiting for the world to stop."""
    OTHER = "other"
    """Parked by something else, such as iter.Pull, or a stack without symbols."""

    # StrEnum takes the hash of the value by a function in Python, and every count of states needs it.
    __hash__ = str.__hash__


_PARKED_BY: dict[Role, GoroutineState] = {
    Role.CHAN_RECEIVE: GoroutineState.CHAN_RECEIVE,
    Role.CHAN_SEND: GoroutineState.CHAN_SEND,
    Role.SELECT: GoroutineState.SELECT,
    Role.IO_WAIT: GoroutineState.IO_WAIT,
    Role.COND: GoroutineState.COND,
    Role.SLEEP: GoroutineState.SLEEP,
}
_OF_THE_RUNTIME = (Role.RUNTIME, Role.PARK, Role.CALL_OUT, Role.COROUTINE)
_OF_A_LOCK = (Role.LOCK, Role.LOCK_OF_WAIT_GROUP)
_OF_A_WAIT_GROUP = (Role.LOCK_OF_WAIT_GROUP, Role.WAIT_GROUP)


def goroutine_state(roles: Sequence[Role]) -> GoroutineState:
    """State of a goroutine by the roles of the leaf frames of its stack.

    An empty stack belongs to a goroutine that is ready but has not run yet: Go omits its start wrapper
    (golang/go 51550).
    """
    if not roles:
        return GoroutineState.RUNNING
    match roles[0]:
        case Role.PARK:
            return _why_parked([role for role in roles[1:] if role is not Role.PARK_UNLOCK])
        case Role.CALL_OUT | Role.SYSTEM_CALL:
            return GoroutineState.SYSCALL
        case Role.UNNAMED | Role.COROUTINE:
            return GoroutineState.OTHER
    return GoroutineState.RUNNING


def goroutines_by_state(profile: Profile) -> dict[GoroutineState, int]:
    """Goroutines per state, of a goroutine or goroutineleak profile; states without any are left out.

    The values sum up to the total of the profile. They can be negative for a difference of profiles.
    """
    counts: dict[GoroutineState, int] = {}
    for roles, count in value_by_beginning(profile, 0).items():
        state = _state_of(roles)
        counts[state] = counts.get(state, 0) + count
    return {state: count for state, count in counts.items() if count}


def proven_leaks(profile: Profile) -> Profile:
    """A goroutineleak profile with the goroutines that are leaks: not the main goroutine, nor records without a frame.

    A program may well do all its work in other goroutines while main waits for ever. Go 1.27 leaves main out only if
    it waits in `select {}`, and counts it nevertheless: its place in the profile stays empty (runtime/mgc.go
    findGoroutineLeaks, runtime/mprof.go goroutineLeakProfileWithLabelsConcurrent). Go 1.26 lists main in any case.
    """
    return profile.without_root(Trait.MAIN)


@lru_cache(maxsize=4096)
def _state_of(roles: int) -> GoroutineState:
    """State by roles as sums have them: a byte for each frame, the leaf in the lowest."""
    return goroutine_state(tuple(map(Role, roles.to_bytes(8, "little").rstrip(b"\0"))))


def _why_parked(callers: list[Role]) -> GoroutineState:
    if not callers:
        return GoroutineState.OTHER
    if known := _PARKED_BY.get(callers[0]):
        return known
    if callers[0] is Role.SEMAPHORE:
        return _whose_semaphore(callers[1:])
    return GoroutineState.RUNTIME if callers[0] in _OF_THE_RUNTIME else GoroutineState.OTHER


def _whose_semaphore(callers: list[Role]) -> GoroutineState:
    """Locks and wait groups sleep on the same semaphore; its other users are within the runtime."""
    if not callers or callers[0] not in _OF_A_LOCK:
        return GoroutineState.RUNTIME
    waits = any(role in _OF_A_WAIT_GROUP for role in callers[:2])
    return GoroutineState.WAIT_GROUP if waits else GoroutineState.MUTEX
