package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// faults are the switches of the program: each has a number, and 0 is off.
type faults struct {
	mu     sync.Mutex
	values map[string]int
	groups map[string]*group
	vanish atomic.Bool
	slow   atomic.Int64
	parked parked
	kept   kept
}

func newFaults() *faults { return &faults{values: map[string]int{}, groups: map[string]*group{}} }

// ServeHTTP answers /fault?name=NAME&value=NUMBER with all that are on.
func (f *faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	value, err := strconv.Atoi(query.Get("value"))
	if err == nil && !f.set(query.Get("name"), value) {
		err = fmt.Errorf("name=%q is no fault", query.Get("name"))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(f.values)
}

// set changes one fault; it is false for a name that is none.
func (f *faults) set(name string, value int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch name {
	case "goroutines": // so many wait
		f.parked.resize(value)
	case "goroutine_rate": // so many more wait each second
		f.every(name, value, func() { f.parked.grow(1) })
		f.parked.forget(value == 0)
	case "lost": // so many wait for what no live code can reach; they cannot be ended
		for i := 0; i < value; i++ {
			go waitForNobody(make(chan struct{}))
		}
	case "heap": // so many MiB are kept
		f.kept.resize(value << 10)
	case "heap_rate": // so many KiB more are kept each second
		f.every(name, (value+255)/256, func() { f.kept.grow(256) })
		f.kept.forget(value == 0)
	case "fill": // a cache grows by 8 MiB a second to so many MiB
		f.every(name, min(value, 32), func() { f.kept.growTo(256, value<<10) })
		f.kept.forget(value == 0)
	case "contend": // so many workers want one lock
		f.run(name, value, new(bottleneck).work)
	case "churn": // so many MiB of garbage each second
		f.every(name, value*16, churn)
	case "gc_percent": // GOGC
		if value == 0 {
			value = 100
		}
		debug.SetGCPercent(value)
	case "forced_gc": // so many collections each second
		f.every(name, value, runtime.GC)
	case "threads": // so many threads are in a system call
		f.run(name, value, blockInRead)
	case "burn": // so many percent of a processor
		f.burn(name, value)
	case "deep": // so many goroutines work below 300 frames, a fifth of the time each
		f.run(name, value, func(stop <-chan struct{}) { descend(300, stop) })
	case "profiler": // the program profiles itself
		f.run(name, value, profileOneself)
	case "unmounted": // the routes of pprof are gone
		f.vanish.Store(value > 0)
	case "slow": // every reply of pprof is so many milliseconds late
		f.slow.Store(int64(value))
	default:
		return false
	}
	f.values[name] = value
	return true
}

func (f *faults) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		time.Sleep(time.Duration(f.slow.Load()) * time.Millisecond)
		if f.vanish.Load() {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// group is a number of goroutines that do the same work until they are told to stop.
type group struct {
	stop chan struct{}
	done sync.WaitGroup
}

func (f *faults) run(name string, n int, work func(stop <-chan struct{})) {
	if before := f.groups[name]; before != nil {
		close(before.stop)
		before.done.Wait()
		delete(f.groups, name)
	}
	if n == 0 {
		return
	}
	g := &group{stop: make(chan struct{})}
	f.groups[name] = g
	g.done.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			defer g.done.Done()
			work(g.stop)
		}()
	}
}

// every calls act so many times a second.
func (f *faults) every(name string, times int, act func()) {
	f.run(name, min(times, 1), func(stop <-chan struct{}) {
		ticker := time.NewTicker(time.Second / time.Duration(times))
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				act()
			case <-stop:
				return
			}
		}
	})
}

// burn keeps threads busy for so many percent of a processor: one for each hundred, in slices of 20 ms.
func (f *faults) burn(name string, percent int) {
	threads := (percent + 99) / 100
	f.run(name, threads, func(stop <-chan struct{}) {
		busy := 20 * time.Millisecond * time.Duration(percent) / time.Duration(100*threads)
		for {
			select {
			case <-stop:
				return
			default:
				spin(time.Now().Add(busy))
				time.Sleep(20*time.Millisecond - busy)
			}
		}
	})
}

//go:noinline
func spin(until time.Time) int {
	sum := 0
	for time.Now().Before(until) {
		for i := 0; i < 20000; i++ {
			sum += i * i
		}
	}
	return sum
}

// profileOneself is another profiler in the process: it leaves the CPU profiler free for a tenth of the time.
func profileOneself(stop <-chan struct{}) {
	for {
		started := pprof.StartCPUProfile(io.Discard) == nil
		select {
		case <-stop:
			if started {
				pprof.StopCPUProfile()
			}
			return
		case <-time.After(2700 * time.Millisecond):
		}
		if started {
			pprof.StopCPUProfile()
		}
		time.Sleep(30 * time.Millisecond)
	}
}

//go:noinline
func descend(frames int, stop <-chan struct{}) int {
	if frames == 0 {
		for {
			select {
			case <-stop:
				return 0
			default:
				spin(time.Now().Add(4 * time.Millisecond))
				time.Sleep(16 * time.Millisecond)
			}
		}
	}
	return descend(frames-1, stop) + 1
}
