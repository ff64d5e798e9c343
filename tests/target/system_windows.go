package main

import (
	"runtime"
	"syscall"
	"time"
)

// cpuSeconds is the user and kernel time of this process.
func cpuSeconds() float64 {
	process, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0
	}
	var created, exited, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(process, &created, &exited, &kernel, &user); err != nil {
		return 0
	}
	return ticks(kernel) + ticks(user)
}

// ticks reads a duration, for which Filetime.Nanoseconds is no use: it counts from 1970.
func ticks(t syscall.Filetime) float64 {
	return float64(uint64(t.HighDateTime)<<32|uint64(t.LowDateTime)) / 1e7
}

var kernel32Sleep = syscall.NewLazyDLL("kernel32.dll").NewProc("Sleep")

// sleepInSystemCall keeps a thread in Sleep of kernel32. It comes back five times a second and
// passes the scheduler, because the profiler arms a thread only there.
func sleepInSystemCall(_ int, stop <-chan struct{}) {
	for !stopped(stop) {
		kernel32Sleep.Call(uintptr((200 * time.Millisecond).Milliseconds()))
		runtime.Gosched()
	}
}

// loadModule loads a library for good, as a security product loads its own into every process.
func loadModule(path string) error {
	_, err := syscall.LoadLibrary(path)
	return err
}
