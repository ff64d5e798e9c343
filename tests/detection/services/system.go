package main

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// blockInRead keeps a thread in read(2) of a pipe: the runtime knows nothing of this descriptor, so that it cannot
// park the goroutine instead.
func blockInRead(stop <-chan struct{}) {
	runtime.LockOSThread()
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		<-stop
		return
	}
	go func() {
		<-stop
		syscall.Close(ends[1])
	}()
	syscall.Read(ends[0], make([]byte, 1))
	syscall.Close(ends[0])
}

var started = time.Now()

// serveMetrics writes what client_golang gives every program.
func serveMetrics(w http.ResponseWriter, _ *http.Request) {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	module := "unknown"
	if info, found := debug.ReadBuildInfo(); found {
		module = info.Main.Path
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	for _, one := range []struct {
		name, kind, labels string
		value              float64
	}{
		{"go_goroutines", "gauge", "", float64(runtime.NumGoroutine())},
		{"go_info", "gauge", fmt.Sprintf("{version=%q}", runtime.Version()), 1},
		{"go_build_info", "gauge", fmt.Sprintf("{path=%q}", module), 1},
		{"go_gc_gomemlimit_bytes", "gauge", "", float64(debug.SetMemoryLimit(-1))},
		{"go_memstats_heap_inuse_bytes", "gauge", "", float64(memory.HeapInuse)},
		{"go_sched_gomaxprocs_threads", "gauge", "", float64(runtime.GOMAXPROCS(0))},
		{"process_cpu_seconds_total", "counter", "", time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()},
		{"process_start_time_seconds", "gauge", "", float64(started.UnixNano()) / 1e9},
		{"service_pprof_requests_total", "counter", "", float64(served.Load())},
	} {
		fmt.Fprintf(w, "# HELP %s A figure of this process.\n# TYPE %s %s\n", one.name, one.name, one.kind)
		fmt.Fprintf(w, "%s%s %v\n", one.name, one.labels, one.value)
	}
}
