// Command target is a Go program with everything that can be wrong with pprof, one switch each.
//
// It serves the real net/http/pprof handlers. Loads (load.go) change what the profiles hold,
// faults (faults.go) change how the replies come back, /control/stats tells the truth that a
// test compares a profile with. It prints one line of JSON when it is ready.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof" // registers /debug/pprof/ on http.DefaultServeMux, as real programs do
	"os"
	"runtime"
	"strings"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	writeTimeout := flag.Duration("write-timeout", 0, "http.Server.WriteTimeout, 0 for none")
	mounted := flag.Bool("pprof", true, "mount /debug/pprof/")
	prefix := flag.String("prefix", "", "path in front of /debug/pprof/, such as /internal")
	flag.Parse()

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		Handler:      newHandler(*mounted, strings.TrimSuffix(*prefix, "/")),
		WriteTimeout: *writeTimeout,
		ErrorLog:     log.New(io.Discard, "", 0),
	}
	announce(listener.Addr())
	log.Fatal(server.Serve(listener))
}

// announce prints the one line that the starter of this program waits for.
func announce(address net.Addr) {
	line, err := json.Marshal(map[string]any{
		"url": "http://" + address.String(),
		"pid": os.Getpid(),
		"go":  runtime.Version(),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

// newHandler routes every request of the program. The pprof handlers stay on the default mux, so
// that methods, redirects and the set of profiles are those of the Go version at hand.
func newHandler(mounted bool, prefix string) http.Handler {
	faults := newFaults()
	counters := newCounters()
	load := newLoad()
	started := time.Now()

	mux := http.NewServeMux()
	if mounted {
		profiles := counters.count(faults.wrap(http.DefaultServeMux))
		mux.Handle(prefix+"/debug/pprof/", http.StripPrefix(prefix, profiles))
	}
	metrics := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serveMetrics(w, started) })
	mux.Handle("/metrics", counters.count(faults.wrap(metrics)))
	mux.HandleFunc("/login", serveLogin)
	mux.Handle("/control/", newControl(load, faults, counters))
	return mux
}

// endpoint names what a path asks for: "heap" for /debug/pprof/heap, "index" for the page itself.
func endpoint(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	if name == "" {
		return "index"
	}
	return name
}
