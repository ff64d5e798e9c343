package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
)

// control answers /control/...: each switch is a GET with a query, each answer is the new state.
type control struct {
	load     *load
	faults   *faults
	counters *counters
}

func newControl(load *load, faults *faults, counters *counters) http.Handler {
	c := &control{load, faults, counters}
	mux := http.NewServeMux()
	for name, change := range map[string]func(query) error{
		"burn":    func(q query) error { return q.number("threads", 0, c.load.burn) },
		"leak":    c.leak,
		"release": func(query) error { c.load.release(); return nil },
		"heap":    func(q query) error { return q.number("mib", 0, c.load.heap.resize) },
		"contend": func(q query) error { return q.number("workers", 0, c.load.contend) },
		"deep":    c.deep,
		"syscall": func(q query) error { return q.number("n", 0, c.load.syscall) },
		"rates":   c.rates,
		"module":  func(q query) error { return loadModule(q.Get("path")) },
		"gc":      func(query) error { runtime.GC(); return nil },
		"fault":   c.fault,
		"reset":   func(query) error { c.load.release(); c.faults.clear(); c.counters.clear(); return nil },
		"state":   func(query) error { return nil },
	} {
		mux.HandleFunc("/control/"+name, c.answer(change))
	}
	mux.HandleFunc("/control/stats", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, c.stats())
	})
	return mux
}

func (c *control) answer(change func(query) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := change(query{r.URL.Query()}); err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, c.state())
	}
}

func (c *control) state() map[string]any {
	return map[string]any{"load": c.load.state(), "rates": currentRates(), "faults": c.faults.state()}
}

func (c *control) leak(q query) error {
	return q.number("n", 1, func(n int) error { return c.load.leak(q.Get("how"), n) })
}

func (c *control) deep(q query) error {
	return q.number("n", 0, func(n int) error {
		return q.number("depth", 200, func(depth int) error { return c.load.deep(n, depth) })
	})
}

// rates sets only the rates that the query names.
func (c *control) rates(q query) error {
	for name, set := range map[string]func(int) error{
		"block": setBlockRate,
		"mutex": func(fraction int) error { runtime.SetMutexProfileFraction(fraction); return nil },
		"heap":  func(bytes int) error { runtime.MemProfileRate = bytes; return nil },
	} {
		if !q.Has(name) {
			continue
		}
		if err := q.number(name, 0, set); err != nil {
			return err
		}
	}
	return nil
}

func (c *control) fault(q query) error {
	return q.number("ms", 0, func(ms int) error {
		path := q.Get("path")
		if path == "" {
			path = "*"
		}
		return c.faults.set(path, fault{Mode: q.Get("mode"), Millis: ms})
	})
}

// query reads the parameters of one control request.
type query struct{ url.Values }

// number hands the named parameter, or its default, to use.
func (q query) number(name string, otherwise int, use func(int) error) error {
	value := otherwise
	if q.Has(name) {
		parsed, err := strconv.Atoi(q.Get(name))
		if err != nil || parsed < 0 {
			return fmt.Errorf("%s=%q is not a number from 0", name, q.Get(name))
		}
		value = parsed
	}
	return use(value)
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}
