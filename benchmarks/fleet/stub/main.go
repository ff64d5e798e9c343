// Stub is many pprof endpoints in one process: each replays what Go programs answered, or files in their place.
//
//	stub -recordings DIR -targets 1000 -port 6060
//
// Target i listens on 127.1.(i/250).(i%250+1), so that every one is a host of its own. What each path was asked for is
// counted and told at http://127.0.0.1:PORT/counts. A program with a file processors.txt says that it keeps so many busy.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Recordings of each path, taken in turns, so that what a target says changes from minute to minute.
var variants = map[string][]string{
	"":                   {"index.html", "index_leaks.html"},
	"allocs":             {"allocs.pb.gz", "allocs_retained.pb.gz"},
	"block":              {"block.pb.gz", "block_contended.pb.gz"},
	"cmdline":            {"cmdline.txt"},
	"goroutine":          {"goroutine.pb.gz", "goroutine_leaks.pb.gz", "goroutine_contended.pb.gz"},
	"goroutineleak":      {"goroutineleak.pb.gz", "goroutineleak_leaks.pb.gz"},
	"heap":               {"heap.pb.gz", "heap_retained.pb.gz"},
	"heap?debug":         {"heap_debug1.txt", "heap_retained_debug1.txt"},
	"mutex":              {"mutex.pb.gz", "mutex_contended.pb.gz"},
	"mutex?debug":        {"mutex_debug1.txt", "mutex_contended_debug1.txt"},
	"profile":            {"cpu_burn1.pb.gz", "cpu_burn2.pb.gz", "cpu_contended.pb.gz"},
	"threadcreate":       {"threadcreate.pb.gz"},
	"threadcreate?debug": {"threadcreate_debug1.txt"},
	"trace":              {"burn2.trace"},
}

var cpuSeconds = regexp.MustCompile(`(?m)^process_cpu_seconds_total .*$`)

// A fifth of a core, so that there is something to hold CPU samples against.
const usualProcessors = 0.2

type program struct {
	replies    map[string][][]byte
	processors float64
}

type counts struct {
	mu     sync.Mutex
	asked  map[string]int
	sample map[string]string
}

func (c *counts) add(key, path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[key]++
	c.sample[key] = path
}

func (c *counts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	told := map[string]int{}
	for key, n := range c.asked {
		told[c.sample[key]] = n
	}
	json.NewEncoder(w).Encode(told)
}

func load(folder string) (program, error) {
	replies := map[string][][]byte{}
	found := program{replies, usualProcessors}
	for path, names := range variants {
		for _, name := range names {
			body, err := os.ReadFile(filepath.Join(folder, name))
			if os.IsNotExist(err) {
				continue
			}
			if err != nil {
				return found, err
			}
			replies[path] = append(replies[path], body)
		}
	}
	if text, err := os.ReadFile(filepath.Join(folder, "processors.txt")); err == nil {
		if found.processors, err = strconv.ParseFloat(string(text), 64); err != nil {
			return found, err
		}
	}
	metrics, err := os.ReadFile(filepath.Join(folder, "metrics.txt"))
	replies["/metrics"] = [][]byte{metrics}
	return found, err
}

type target struct {
	number  int
	program program
	counts  *counts
	started time.Time
}

func (t *target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/metrics" {
		t.counts.add("/metrics", "/metrics")
		used := fmt.Sprintf("process_cpu_seconds_total %g", time.Since(t.started).Seconds()*t.program.processors)
		w.Write(cpuSeconds.ReplaceAll(t.program.replies["/metrics"][0], []byte(used)))
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/debug/pprof/")
	if r.FormValue("debug") != "" {
		name += "?debug"
	}
	t.counts.add(name, r.URL.RequestURI())
	bodies := t.program.replies[name]
	if bodies == nil {
		w.Header().Set("X-Go-Pprof", "1")
		http.Error(w, "Unknown profile", http.StatusNotFound)
		return
	}
	if seconds, err := strconv.Atoi(r.FormValue("seconds")); err == nil {
		select {
		case <-time.After(time.Duration(seconds) * time.Second):
		case <-r.Context().Done():
			return
		}
	}
	if strings.HasSuffix(name, "?debug") || name == "cmdline" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	} else if name != "" {
		w.Header().Set("Content-Type", "application/octet-stream")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(bodies[(int(time.Now().Unix()/60)+t.number)%len(bodies)])
}

func main() {
	recordings := flag.String("recordings", "", "folder of tests/recordings")
	targets := flag.Int("targets", 1000, "how many targets")
	port := flag.Int("port", 0, "the port on which all of them listen")
	flag.Parse()

	folders, err := filepath.Glob(filepath.Join(*recordings, "*-go1.*"))
	if err != nil || len(folders) == 0 {
		log.Fatalf("no recordings in %q: %v", *recordings, err)
	}
	programs := make([]program, len(folders))
	for i, folder := range folders {
		if programs[i], err = load(folder); err != nil {
			log.Fatal(err)
		}
	}
	asked := &counts{asked: map[string]int{}, sample: map[string]string{}}
	for i := 0; i < *targets; i++ {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.1.%d.%d:%d", i/250, i%250+1, *port))
		if err != nil {
			log.Fatal(err)
		}
		go http.Serve(listener, &target{i, programs[i%len(programs)], asked, time.Now()})
	}
	http.Handle("/counts", asked)
	log.Fatal(http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", *port), nil))
}
