package main

import "syscall"

// used returns the CPU seconds of this process.
func used() float64 {
	var created, exited, kernel, user syscall.Filetime
	process, err := syscall.GetCurrentProcess()
	if err == nil {
		err = syscall.GetProcessTimes(process, &created, &exited, &kernel, &user)
	}
	if err != nil {
		panic(err)
	}
	return seconds(kernel) + seconds(user)
}

// seconds reads a length of time in units of 100 ns; Filetime.Nanoseconds would take it for a date.
func seconds(value syscall.Filetime) float64 {
	return float64(uint64(value.HighDateTime)<<32|uint64(value.LowDateTime)) / 1e7
}
