package main

import (
	"context"
	"runtime/pprof"
	"sync"
	"time"
)

// sink keeps the results of the loops below alive, or the compiler would drop the loops.
var sink struct {
	sync.Mutex
	value uint64
}

func keep(value uint64) {
	sink.Lock()
	sink.value += value
	sink.Unlock()
}

// rounds is a few milliseconds of work: long against a switch of functions, short against a stop.
const rounds = 2_000_000

// burn keeps one thread busy, a third of the time each: plain code, code of which the hot part is
// inlined, and code under profiler labels.
func burn(_ int, stop <-chan struct{}) {
	labels := pprof.Labels("handler", "/checkout", "tenant", "blue")
	for !stopped(stop) {
		keep(burnPlain(rounds))
		keep(burnInlined(rounds))
		pprof.Do(context.Background(), labels, func(context.Context) { keep(burnLabelled(rounds)) })
	}
}

//go:noinline
func burnPlain(n int) uint64 {
	x := uint64(88172645463325252)
	for i := 0; i < n; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

//go:noinline
func burnInlined(n int) uint64 {
	x := uint64(1)
	for i := 0; i < n; i++ {
		x = mixHash(x, uint64(i))
	}
	return x
}

// mixHash is small enough to be inlined everywhere: profiles show it as a second line of a location.
func mixHash(x, y uint64) uint64 {
	x ^= y + 0x9e3779b97f4a7c15
	x *= 0xbf58476d1ce4e5b9
	return x ^ x>>31
}

//go:noinline
func burnLabelled(n int) uint64 {
	x := uint64(7)
	for i := 0; i < n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// descend calls leaf below depth frames of its own.
//
//go:noinline
func descend(depth int, leaf func()) int {
	if depth == 0 {
		leaf()
		return 0
	}
	return descend(depth-1, leaf) + 1
}

func burnDeep(depth int, stop <-chan struct{}) {
	descend(depth, func() {
		for !stopped(stop) {
			keep(burnPlain(rounds))
		}
	})
}

func parkDeep(depth int, stop <-chan struct{}) {
	descend(depth, func() { waitBelow(stop) })
}

//go:noinline
func waitBelow(stop <-chan struct{}) { <-stop }

// contention is one mutex and one channel that workers fight for.
type contention struct {
	mu    sync.Mutex
	queue chan int
}

func newContention() *contention { return &contention{queue: make(chan int)} }

// work makes even workers contend on the mutex, odd ones on the channel.
func (c *contention) work(id int, stop <-chan struct{}) {
	if id%2 == 0 {
		c.contendOnMutex(stop)
		return
	}
	c.contendOnChannel(id, stop)
}

//go:noinline
func (c *contention) contendOnMutex(stop <-chan struct{}) {
	for !stopped(stop) {
		c.mu.Lock()
		time.Sleep(time.Millisecond)
		c.mu.Unlock()
	}
}

// contendOnChannel sends and receives by turns, with a pause that keeps the others waiting.
//
//go:noinline
func (c *contention) contendOnChannel(id int, stop <-chan struct{}) {
	for !stopped(stop) {
		select {
		case c.queue <- id:
		case <-c.queue:
			time.Sleep(time.Millisecond)
		case <-stop:
		}
	}
}
