package main

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// leaks are goroutines that wait for what does not come. All but the lost ones can be ended:
// what they wait on is kept here, and so they are reachable for the garbage collector.
type leaks struct {
	mu      sync.Mutex
	counts  map[string]int
	cancels []func()
}

// leak parks n goroutines:
//
//	chan    receive from a channel          send   send to a channel
//	select  select on two channels          mutex  lock a mutex that is held
//	io      read from a loopback connection sleep  time.Sleep, over and over
//	lost    receive from a channel that nothing else refers to: can never end, and the
//	        goroutineleak profile of Go 1.27 finds it
func (l *load) leak(how string, n int) error {
	start, known := map[string]func(n int) (cancel func(), err error){
		"chan":   leakChannels,
		"send":   leakSends,
		"select": leakSelects,
		"mutex":  leakLocks,
		"io":     leakReads,
		"sleep":  leakSleeps,
		"lost":   leakLost,
	}[how]
	if !known {
		return fmt.Errorf("how=%q is none of chan, send, select, mutex, io, sleep, lost", how)
	}
	cancel, err := start(n)
	if err != nil {
		return err
	}
	l.leaks.add(how, n, cancel)
	return nil
}

func (l *leaks) add(how string, n int, cancel func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[how] += n
	if cancel != nil {
		l.cancels = append(l.cancels, cancel)
	}
}

func (l *leaks) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cancel := range l.cancels {
		cancel()
	}
	l.cancels = nil
	l.counts = map[string]int{"lost": l.counts["lost"]}
}

func (l *leaks) state() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := map[string]int{}
	for how, n := range l.counts {
		if n > 0 {
			state[how] = n
		}
	}
	return state
}

func leakChannels(n int) (func(), error) {
	never := make(chan struct{})
	for i := 0; i < n; i++ {
		go leakOnChannel(never)
	}
	return func() { close(never) }, nil
}

//go:noinline
func leakOnChannel(never <-chan struct{}) { <-never }

func leakSends(n int) (func(), error) {
	never := make(chan int)
	for i := 0; i < n; i++ {
		go leakOnSend(never, i)
	}
	return func() {
		for i := 0; i < n; i++ {
			<-never
		}
	}, nil
}

//go:noinline
func leakOnSend(never chan<- int, value int) { never <- value }

func leakSelects(n int) (func(), error) {
	never, stop := make(chan int), make(chan struct{})
	for i := 0; i < n; i++ {
		go leakOnSelect(never, stop)
	}
	return func() { close(stop) }, nil
}

//go:noinline
func leakOnSelect(never <-chan int, stop <-chan struct{}) {
	select {
	case <-never:
	case <-stop:
	}
}

func leakLocks(n int) (func(), error) {
	held := new(sync.Mutex)
	held.Lock()
	for i := 0; i < n; i++ {
		go leakOnMutex(held)
	}
	return held.Unlock, nil
}

//go:noinline
func leakOnMutex(held *sync.Mutex) {
	held.Lock()
	held.Unlock()
}

// leakSleeps wakes once a second: a sleep cannot be ended from outside.
func leakSleeps(n int) (func(), error) {
	stop := make(chan struct{})
	for i := 0; i < n; i++ {
		go leakOnSleep(stop)
	}
	return func() { close(stop) }, nil
}

//go:noinline
func leakOnSleep(stop <-chan struct{}) {
	for !stopped(stop) {
		time.Sleep(time.Second)
	}
}

// leakReads opens n connections to a listener of its own that says nothing.
func leakReads(n int) (func(), error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	ends := make([]net.Conn, 0, 2*n)
	cancel := func() {
		for _, end := range ends {
			end.Close()
		}
	}
	for i := 0; i < n; i++ {
		near, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			cancel()
			return nil, err
		}
		far, err := listener.Accept()
		if err != nil {
			near.Close()
			cancel()
			return nil, err
		}
		ends = append(ends, near, far)
		go leakOnRead(near)
	}
	return cancel, nil
}

//go:noinline
func leakOnRead(conn net.Conn) {
	conn.Read(make([]byte, 1))
}

func leakLost(n int) (func(), error) {
	for i := 0; i < n; i++ {
		go leakOnLostChannel(make(chan struct{}))
	}
	return nil, nil
}

//go:noinline
func leakOnLostChannel(lost <-chan struct{}) { <-lost }
