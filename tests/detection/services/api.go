package main

import (
	"container/list"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"sync"
	"time"
)

const (
	workers   = 8
	requests  = 20 // a second
	cacheSize = 512
)

// api answers requests by a pool of workers that share a cache.
type api struct {
	jobs  chan job
	cache *cache
	// state is what all workers take turns at.
	state sync.Mutex
}

type job struct {
	key  int
	done chan []byte
}

func startAPI(url string, mux *http.ServeMux) {
	a := &api{jobs: make(chan job), cache: newCache(cacheSize)}
	for i := 0; i < workers; i++ {
		go a.work()
	}
	mux.HandleFunc("/work", a.serve)
	go a.request(url + "/work")
	go a.report()
}

// report lets three goroutines at a time wait for the state of the service, ten times a second.
func (a *api) report() {
	for range time.Tick(100 * time.Millisecond) {
		for i := 0; i < 3; i++ {
			go a.summarize()
		}
	}
}

//go:noinline
func (a *api) summarize() {
	a.state.Lock()
	defer a.state.Unlock()
	time.Sleep(time.Duration(number(contention)) * 4 * time.Millisecond)
}

func (a *api) serve(w http.ResponseWriter, r *http.Request) {
	one := job{rand.Intn(4 * cacheSize), make(chan []byte, 1)}
	a.jobs <- one
	w.Write(<-one.done)
}

func (a *api) work() {
	for one := range a.jobs {
		value, found := a.cache.get(one.key)
		if !found {
			value = a.answer(one.key)
			a.cache.put(one.key, value)
		}
		a.settle()
		one.done <- value
	}
}

// answer makes a value as an API does: some text, some hashing, some garbage.
//
//go:noinline
func (a *api) answer(key int) []byte {
	var text []byte
	for i := 0; i < 4; i++ {
		text = append([]byte(nil), fmt.Sprintf("%d %x", key, make([]byte, 2048))...)
	}
	sum := sha256.Sum256(text)
	return append(text[:1024:1024], sum[:]...)
}

// settle is the critical section of the service.
//
//go:noinline
func (a *api) settle() {
	a.state.Lock()
	defer a.state.Unlock()
	time.Sleep(200 * time.Microsecond)
}

// request is the light client of the service.
func (a *api) request(url string) {
	for range time.Tick(time.Second / requests) {
		reply, err := http.Get(url)
		if err != nil {
			continue
		}
		io.Copy(io.Discard, reply.Body)
		reply.Body.Close()
	}
}

// cache keeps what was used last.
type cache struct {
	mu    sync.Mutex
	size  int
	order *list.List
	byKey map[int]*list.Element
}

type entry struct {
	key   int
	value []byte
}

func newCache(size int) *cache {
	return &cache{size: size, order: list.New(), byKey: map[int]*list.Element{}}
}

func (c *cache) get(key int) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, found := c.byKey[key]
	if !found {
		return nil, false
	}
	c.order.MoveToFront(element)
	return element.Value.(entry).value, true
}

func (c *cache) put(key int, value []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byKey[key] = c.order.PushFront(entry{key, value})
	if c.order.Len() > c.size {
		oldest := c.order.Back()
		c.order.Remove(oldest)
		delete(c.byKey, oldest.Value.(entry).key)
	}
}
