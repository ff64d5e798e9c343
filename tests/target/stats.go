package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// counters are what the program saw of its clients.
type counters struct {
	mu          sync.Mutex
	requests    map[string]int
	profiling   int
	maxParallel int
}

func newCounters() *counters { return &counters{requests: map[string]int{}} }

// count notes each request by its endpoint, and how many CPU profiles were asked for at once.
func (c *counters) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := endpoint(r.URL.Path)
		c.enter(name)
		defer c.leave(name)
		next.ServeHTTP(w, r)
	})
}

func (c *counters) enter(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests[name]++
	if name == "profile" {
		c.profiling++
		c.maxParallel = max(c.maxParallel, c.profiling)
	}
}

func (c *counters) leave(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name == "profile" {
		c.profiling--
	}
}

func (c *counters) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = map[string]int{}
	c.maxParallel = c.profiling
}

func (c *counters) state() (requests map[string]int, maxParallel int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	requests = map[string]int{}
	for name, n := range c.requests {
		requests[name] = n
	}
	return requests, c.maxParallel
}

// stats is the truth about the process that a test compares profiles with.
func (c *control) stats() map[string]any {
	requests, maxParallel := c.counters.state()
	goroutines := runtime.NumGoroutine()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return map[string]any{
		"go":          runtime.Version(),
		"goos":        runtime.GOOS,
		"pid":         os.Getpid(),
		"gomaxprocs":  runtime.GOMAXPROCS(0),
		"goroutines":  goroutines,
		"cpu_seconds": cpuSeconds(),
		"time_nanos":  time.Now().UnixNano(),
		"memstats": map[string]any{
			"HeapAlloc":     mem.HeapAlloc,
			"HeapInuse":     mem.HeapInuse,
			"HeapObjects":   mem.HeapObjects,
			"HeapSys":       mem.HeapSys,
			"BuckHashSys":   mem.BuckHashSys,
			"Mallocs":       mem.Mallocs,
			"Frees":         mem.Frees,
			"TotalAlloc":    mem.TotalAlloc,
			"NextGC":        mem.NextGC,
			"NumGC":         mem.NumGC,
			"PauseTotalNs":  mem.PauseTotalNs,
			"GCCPUFraction": mem.GCCPUFraction,
		},
		"rates":                 currentRates(),
		"load":                  c.load.state(),
		"faults":                c.faults.state(),
		"requests":              requests,
		"max_parallel_profiles": maxParallel,
	}
}

// blockRate remembers what was set: the runtime has no way to read it back.
var blockRate atomic.Int64

func setBlockRate(nanoseconds int) error {
	runtime.SetBlockProfileRate(nanoseconds)
	blockRate.Store(int64(nanoseconds))
	return nil
}

func currentRates() map[string]int {
	return map[string]int{
		"block": int(blockRate.Load()),
		"mutex": runtime.SetMutexProfileFraction(-1), // a negative fraction only reads
		"heap":  runtime.MemProfileRate,
	}
}

// serveMetrics writes the few series that client_golang gives every program.
func serveMetrics(w http.ResponseWriter, started time.Time) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	metric := func(name, kind, help, labels string, value float64) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s%s %v\n", name, help, name, kind, name, labels, value)
	}
	metric("go_goroutines", "gauge", "Number of goroutines that currently exist.", "", float64(runtime.NumGoroutine()))
	metric("go_info", "gauge", "Information about the Go environment.",
		fmt.Sprintf("{version=%q}", runtime.Version()), 1)
	metric("go_sched_gomaxprocs_threads", "gauge", "The current runtime.GOMAXPROCS setting.", "",
		float64(runtime.GOMAXPROCS(0)))
	metric("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", "", cpuSeconds())
	metric("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.", "",
		float64(started.UnixNano())/1e9)
}
