package main

import (
	"runtime/debug"
	"sync"
	"time"
)

// parked are goroutines that wait for a channel which is kept, so that they are no proven leak.
type parked struct {
	mu     sync.Mutex
	stops  []chan struct{}
	steady int
}

func (p *parked) grow(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := 0; i < n; i++ {
		stop := make(chan struct{})
		p.stops = append(p.stops, stop)
		go waitFor(stop)
	}
}

func (p *parked) shrink(to int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.stops) > to {
		close(p.stops[len(p.stops)-1])
		p.stops = p.stops[:len(p.stops)-1]
	}
}

func (p *parked) resize(n int) {
	p.steady = n
	p.shrink(n)
	p.grow(n - len(p.stops))
}

// forget ends what has leaked.
func (p *parked) forget(ended bool) {
	if ended {
		p.shrink(p.steady)
	}
}

//go:noinline
func waitFor(stop <-chan struct{}) { <-stop }

//go:noinline
func waitForNobody(lost <-chan struct{}) { <-lost }

// kept is memory that stays in use, in blocks.
type kept struct {
	mu     sync.Mutex
	blocks [][]byte
	kib    int
	steady int
}

func (k *kept) grow(kib int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.blocks = append(k.blocks, block(kib))
	k.kib += kib
}

func (k *kept) growTo(kib, limit int) {
	if k.kib < k.steady+limit {
		k.grow(kib)
	}
}

func (k *kept) resize(kib int) {
	k.steady = kib
	k.forget(true)
	for k.kib < kib {
		k.grow(min(256, kib-k.kib))
	}
}

// forget frees what has leaked.
func (k *kept) forget(ended bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !ended || k.kib <= k.steady {
		return
	}
	for k.kib > k.steady {
		last := len(k.blocks) - 1
		k.kib -= len(k.blocks[last]) >> 10
		k.blocks[last] = nil
		k.blocks = k.blocks[:last]
	}
	debug.FreeOSMemory()
}

// block is written to, so that its pages are really there.
//
//go:noinline
func block(kib int) []byte {
	made := make([]byte, kib<<10)
	for i := 0; i < len(made); i += 4096 {
		made[i] = 1
	}
	return made
}

// garbage keeps the latest, so that the compiler does not leave the allocation out.
var garbage [][]byte

//go:noinline
func churn() {
	made := make([][]byte, 64)
	for i := range made {
		made[i] = make([]byte, 1024)
	}
	garbage = made
}

// bottleneck is one lock that many want: it is held for a millisecond each time.
type bottleneck struct{ mu sync.Mutex }

func (b *bottleneck) work(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
			b.update()
		}
	}
}

//go:noinline
func (b *bottleneck) update() {
	b.mu.Lock()
	defer b.mu.Unlock()
	time.Sleep(time.Millisecond)
}
