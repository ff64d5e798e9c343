package main

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"
)

// fault is one way to answer wrongly; Millis is the pause of the modes that have one.
type fault struct {
	Mode   string `json:"mode"`
	Millis int    `json:"ms"`
}

// faults holds at most one fault per endpoint; "*" stands for every pprof endpoint without its own.
type faults struct {
	mu     sync.Mutex
	byPath map[string]fault
}

func newFaults() *faults { return &faults{byPath: map[string]fault{}} }

// set changes one endpoint; the mode "none" on "*" clears them all.
func (f *faults) set(path string, change fault) error {
	if change.Mode == "none" {
		f.remove(path)
		return nil
	}
	if _, known := modes[change.Mode]; !known {
		return fmt.Errorf("mode=%q is none of none, %s", change.Mode, strings.Join(modeNames(), ", "))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.byPath[path] = change
	return nil
}

func (f *faults) remove(path string) {
	if path == "*" {
		f.clear()
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.byPath, path)
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.byPath = map[string]fault{}
}

func (f *faults) find(path string) (fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if own, found := f.byPath[path]; found {
		return own, true
	}
	// The program's metrics are no profile: they fail only when named.
	if path == "metrics" {
		return fault{}, false
	}
	every, found := f.byPath["*"]
	return every, found
}

func (f *faults) state() map[string]fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	state := map[string]fault{}
	for path, found := range f.byPath {
		state[path] = found
	}
	return state
}

// wrap answers with the fault of the endpoint, or lets next answer.
func (f *faults) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, wrong := f.find(endpoint(r.URL.Path))
		if !wrong {
			next.ServeHTTP(w, r)
			return
		}
		modes[found.Mode](&exchange{w, r, next, time.Duration(found.Millis) * time.Millisecond})
	})
}

func modeNames() []string {
	names := make([]string, 0, len(modes))
	for name := range modes {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
