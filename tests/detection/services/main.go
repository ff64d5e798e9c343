// Command services is a Go program of one of four shapes, with faults that begin and end while it runs.
//
//	api       a worker pool and a cache with eviction, behind HTTP, with a client of its own
//	batch     bursts of work on every processor, idle between
//	proxy     connections whose number follows a wave
//	redeploy  loads a table at its start, as a service does that is deployed often
//
// It serves the real net/http/pprof handlers, and its switches on a port of its own, so that nothing but pprof and
// the work of the service shows in the profiles. It prints one line of JSON when it is ready.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// What a build does more than the one before, set by `go build -ldflags "-X main.allocation=3"`.
var (
	release    = "1"
	allocation = "1"
	contention = "1"
	latency    = "1"
	goroutines = "1"
	heap       = "1"
	processor  = "1"
)

// options are the flags of every shape.
type options struct {
	shape, metrics, without, ending     string
	index                               bool
	parked, heap, churn                 int
	mutexFraction, blockRate            int
	samplingMutex, writeTimeout, period time.Duration
	load                                float64
}

func main() {
	var o options
	listen := flag.String("listen", "127.0.0.1:0", "address of the service and of pprof")
	flag.StringVar(&o.shape, "shape", "api", "api, batch, proxy or redeploy")
	flag.StringVar(&o.metrics, "metrics", "page", "page, none or slow")
	flag.StringVar(&o.without, "without", "", "profiles that are not served, by comma")
	flag.StringVar(&o.ending, "ending", "serve", "what main ends in: serve or select")
	flag.BoolVar(&o.index, "index", true, "serve the index page of pprof")
	flag.IntVar(&o.parked, "parked", 0, "goroutines that wait as long as the program runs")
	flag.IntVar(&o.heap, "heap", 8, "MiB that are kept as long as the program runs")
	flag.IntVar(&o.churn, "churn", 0, "MiB of garbage a second")
	flag.IntVar(&o.mutexFraction, "mutex-fraction", 0, "runtime.SetMutexProfileFraction")
	flag.IntVar(&o.blockRate, "block-rate", 0, "runtime.SetBlockProfileRate")
	flag.DurationVar(&o.samplingMutex, "sampling-mutex", 0, "the mutex profile sleeps so long first")
	flag.DurationVar(&o.writeTimeout, "write-timeout", 0, "http.Server.WriteTimeout")
	flag.DurationVar(&o.period, "period", 10*time.Second, "period of bursts and waves")
	flag.Float64Var(&o.load, "load", 0, "processors kept busy")
	flag.Parse()
	if o.mutexFraction > 0 {
		runtime.SetMutexProfileFraction(o.mutexFraction)
	}
	runtime.SetBlockProfileRate(o.blockRate)

	listener := listening(*listen)
	faults := newFaults()
	handler := newHandler(o, faults)
	start(o, "http://"+listener.Addr().String(), handler)
	faults.set("goroutines", o.parked*number(goroutines))
	faults.set("heap", o.heap*number(heap))
	faults.set("churn", o.churn*number(allocation))
	faults.set("slow", 80*(number(latency)-1)/4)
	faults.set("burn", int(100*o.load)*number(processor))

	switches := listening("127.0.0.1:0")
	go http.Serve(switches, faults)
	announce(listener, switches)
	server := &http.Server{Handler: handler, WriteTimeout: o.writeTimeout, ErrorLog: log.New(io.Discard, "", 0)}
	if o.ending == "select" {
		go server.Serve(listener)
		select {}
	}
	log.Fatal(server.Serve(listener))
}

// start begins what the service does.
func start(o options, url string, mux *http.ServeMux) {
	switch o.shape {
	case "api":
		startAPI(url, mux)
	case "batch":
		startBatch(o.period)
	case "proxy":
		startProxy(o.period)
	case "redeploy":
		startRedeploy()
	default:
		log.Fatalf("-shape %q is none of api, batch, proxy, redeploy", o.shape)
	}
}

// newHandler routes pprof by hand, as a program does that does not use the default mux.
func newHandler(o options, faults *faults) *http.ServeMux {
	mux := http.NewServeMux()
	for name, handler := range endpoints(o) {
		if name == "" || !strings.Contains(","+o.without+",", ","+name+",") {
			mux.Handle("/debug/pprof/"+name, faults.wrap(handler))
		}
	}
	switch o.metrics {
	case "page":
		mux.HandleFunc("/metrics", serveMetrics)
	case "slow":
		mux.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(2 * time.Second)
			serveMetrics(w, r)
		})
	}
	return mux
}

func endpoints(o options) map[string]http.Handler {
	found := map[string]http.Handler{
		"cmdline": http.HandlerFunc(pprof.Cmdline),
		"profile": http.HandlerFunc(pprof.Profile),
		"symbol":  http.HandlerFunc(pprof.Symbol),
		"trace":   http.HandlerFunc(pprof.Trace),
		"mutex":   sampling(o.samplingMutex, pprof.Handler("mutex")),
	}
	for _, name := range []string{"allocs", "block", "goroutine", "goroutineleak", "heap", "threadcreate"} {
		found[name] = pprof.Handler(name)
	}
	if o.index {
		found[""] = http.HandlerFunc(pprof.Index)
	}
	return found
}

// sampling sleeps before it answers, as VictoriaMetrics' mutex profile does to sample for a while.
func sampling(pause time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if pause > 0 {
			time.Sleep(pause)
		}
		next.ServeHTTP(w, r)
	})
}

func listening(address string) net.Listener {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

// announce prints the one line that the starter of this program waits for.
func announce(listener, switches net.Listener) {
	line, err := json.Marshal(map[string]any{
		"url":     "http://" + listener.Addr().String(),
		"control": "http://" + switches.Addr().String(),
		"pid":     os.Getpid(),
		"go":      runtime.Version(),
		"release": release,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

// number is a value that a build was given.
func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// served counts the requests to pprof, for the metrics page.
var served atomic.Int64
