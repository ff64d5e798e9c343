package main

import (
	"errors"
	"runtime"
	"syscall"
	"time"
)

// cpuSeconds is the user and system time of this process.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// sleepInSystemCall keeps a thread in nanosleep. It comes back five times a second and passes
// the scheduler, because the profiler arms a thread only there.
func sleepInSystemCall(_ int, stop <-chan struct{}) {
	for !stopped(stop) {
		pause := syscall.NsecToTimespec(int64(200 * time.Millisecond))
		syscall.Nanosleep(&pause, nil)
		runtime.Gosched()
	}
}

// loadModule is for Windows: a program without cgo loads no libraries elsewhere.
func loadModule(string) error { return errors.New("modules are loaded on Windows only") }
