"""Texts of `goroutine?debug=2` of real programs."""

from __future__ import annotations

from tests.recorded import PROGRAMS

DUMPS = [f"{program}/{name}_debug2.txt" for program in PROGRAMS for name in ("goroutine_leaks", "goroutine_deep")]

# What goroutineleak?debug=2 printed of a program with cgo, 62 s after its first collection (Go 1.27.3, Linux); eleven
# of its goroutines are left out. The labels are who = `a}: b"` with a line break, and k = v.
WAITING = b"""goroutine 1 [running]:
runtime/pprof.writeGoroutineStacks({0x5f1438, 0x34a17cf04040})
	runtime/pprof/pprof.go:816 +0x69
runtime/pprof.writeGoroutineLeak({0x5f1438, 0x34a17cf04040}, 0x2)
	runtime/pprof/pprof.go:803 +0xa8
runtime/pprof.(*Profile).WriteTo(0x4e84f8?, {0x5f1438?, 0x34a17cf04040?}, 0x1?)
	runtime/pprof/pprof.go:405 +0x149
main.main()
	target/main.go:91 +0x3f4

goroutine 6 [chan receive, 1 minutes]:
main.main.func12(0x0?)
	target/main.go:80 +0x1c
runtime.runFinalizers()
	runtime/mfinal.go:272 +0x3f7

goroutine 7 [chan send (leaked)]:
main.generic[...](...)
	target/main.go:27
created by main.main in goroutine 1
	target/main.go:55 +0x8c

goroutine 8 [chan receive (leaked)]:
main.(*T[...]).Wait(...)
	target/main.go:25
created by main.main in goroutine 1
	target/main.go:56 +0x11d

goroutine 12 [chan receive (nil chan) (leaked)]:
main.main.func1()
	target/main.go:59 +0x17
created by main.main in goroutine 1
	target/main.go:59 +0x13d

goroutine 14 [select (no cases) (leaked)]:
main.main.func3()
	target/main.go:61 +0xf
created by main.main in goroutine 1
	target/main.go:61 +0x155

goroutine 18 [chan receive, 1 minutes, locked to thread]:
main.goWait(...)
	target/main.go:32
main._Cfunc_callGo()
	_cgo_gotypes.go:46 +0x3a
main.main.func6()
	target/main.go:64 +0xf
created by main.main in goroutine 1
	target/main.go:64 +0x17d

goroutine 19 [syscall, 1 minutes]:
main._Cfunc_nap()
	_cgo_gotypes.go:56 +0x3a
main.main.func7()
	target/main.go:65 +0xf
created by main.main in goroutine 1
	target/main.go:65 +0x189

goroutine 25 [chan receive, 1 minutes] {k: v, who: "a}: b\\"\\n"}:
main.main.func11.1()
	target/main.go:78 +0x1c
created by main.main.func11 in goroutine 1
	target/main.go:78 +0x1a

goroutine 34 [chan receive, 1 minutes]:
main.main.func10.1(0x34a17d008080)
	target/main.go:75 +0x25
iter.Pull[...].func1()
	iter/iter.go:301 +0xef
created by iter.Pull[...] in goroutine 24
	iter/iter.go:271 +0xa5
"""
