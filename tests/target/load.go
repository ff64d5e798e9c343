package main

import (
	"runtime/debug"
	"sync"
)

// load is all that the program does beside answering requests.
type load struct {
	burners    group
	contenders group
	sleepers   group // threads inside a system call
	parked     group // goroutines under a deep stack, the first of them busy
	depth      int
	heap       retained
	leaks      leaks
}

func newLoad() *load { return &load{leaks: leaks{counts: map[string]int{}}} }

func (l *load) burn(threads int) error {
	l.burners.run(threads, burn)
	return nil
}

func (l *load) contend(workers int) error {
	shared := newContention()
	l.contenders.run(workers, shared.work)
	return nil
}

func (l *load) syscall(threads int) error {
	l.sleepers.run(threads, sleepInSystemCall)
	return nil
}

// deep parks n goroutines below depth frames and keeps one more busy there: the parked ones show
// in goroutine profiles, the busy one in CPU profiles.
func (l *load) deep(n, depth int) error {
	l.depth = depth
	workers := n
	if n > 0 {
		workers++
	}
	l.parked.run(workers, func(id int, stop <-chan struct{}) {
		if id == 0 {
			burnDeep(depth, stop)
			return
		}
		parkDeep(depth, stop)
	})
	return nil
}

// release ends every load that can be ended; only goroutines leaked for good stay.
func (l *load) release() {
	for _, g := range []*group{&l.burners, &l.contenders, &l.sleepers, &l.parked} {
		g.run(0, nil)
	}
	l.heap.resize(0)
	l.leaks.release()
}

func (l *load) state() map[string]any {
	return map[string]any{
		"burn":     l.burners.len(),
		"contend":  l.contenders.len(),
		"syscall":  l.sleepers.len(),
		"deep":     map[string]int{"goroutines": max(0, l.parked.len()-1), "depth": l.depth},
		"heap_mib": l.heap.mib(),
		"leak":     l.leaks.state(),
	}
}

// group is a number of goroutines that do the same work until they are told to stop.
type group struct {
	mu   sync.Mutex
	n    int
	stop chan struct{}
	done sync.WaitGroup
}

// run ends the goroutines that run and starts n new ones.
func (g *group) run(n int, work func(id int, stop <-chan struct{})) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stop != nil {
		close(g.stop)
		g.done.Wait()
		g.stop = nil
	}
	g.n = n
	if n == 0 {
		return
	}
	stop := make(chan struct{})
	g.stop = stop
	g.done.Add(n)
	for id := 0; id < n; id++ {
		go func(id int) {
			defer g.done.Done()
			work(id, stop)
		}(id)
	}
}

func (g *group) len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.n
}

func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// retained is memory that stays in use: two kinds, so that a profile has something to compare.
type retained struct {
	mu    sync.Mutex
	cache [][]byte
	index []map[int]string
}

// resize grows or shrinks the retained memory to about mib MiB, three quarters of it in the cache.
func (r *retained) resize(mib int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if mib < r.sizeLocked() {
		r.cache, r.index = nil, nil
	}
	for r.sizeLocked() < mib {
		r.cache = append(r.cache, fillCache())
		r.index = append(r.index, fillIndex())
	}
	if mib == 0 {
		debug.FreeOSMemory()
	}
	return nil
}

func (r *retained) mib() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sizeLocked()
}

// sizeLocked counts 1 MiB for each pair of blocks.
func (r *retained) sizeLocked() int { return len(r.cache) }

//go:noinline
func fillCache() []byte {
	block := make([]byte, 768<<10)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1 // so that the page is really there
	}
	return block
}

//go:noinline
func fillIndex() map[int]string {
	const entries, width = 512, 480
	index := make(map[int]string, entries)
	for i := 0; i < entries; i++ {
		index[i] = string(make([]byte, width))
	}
	return index
}
