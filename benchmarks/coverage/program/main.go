// Threads that work in bursts and sleep in between, which take CPU profiles of themselves.
//
// For each window, one line of JSON goes to standard output: the CPU time that the process used between the start and
// the stop of the profile by the clock of the operating system, what the stop itself took, and the profile.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"runtime/pprof"
	"time"
)

type window struct {
	Seconds float64 `json:"seconds"`
	Used    float64 `json:"used"`
	Stop    float64 `json:"stop"`
	Profile string  `json:"profile"`
}

func main() {
	burst := flag.Duration("burst", time.Millisecond, "work at a time")
	period := flag.Duration("period", 10*time.Millisecond, "mean time from one burst to the next; 0: no pause")
	threads := flag.Int("threads", 1, "threads that do this")
	length := flag.Duration("window", 5*time.Second, "length of a CPU profile")
	count := flag.Int("windows", 1, "CPU profiles")
	flag.Parse()
	for i := 0; i < *threads; i++ {
		go work(*burst, *period, rand.New(rand.NewSource(int64(i)+time.Now().UnixNano())))
	}
	time.Sleep(time.Second)
	for i := 0; i < *count; i++ {
		if err := take(*length); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// work runs on a thread of its own. Pauses vary by half, so that bursts keep no step with the ticks of the kernel.
func work(burst, period time.Duration, random *rand.Rand) {
	runtime.LockOSThread()
	for {
		spin(burst)
		if period > 0 {
			pause := float64(period - burst)
			time.Sleep(time.Duration(pause * (0.5 + random.Float64())))
		}
	}
}

func spin(burst time.Duration) {
	for end := time.Now().Add(burst); time.Now().Before(end); {
	}
}

func take(length time.Duration) error {
	var profile bytes.Buffer
	if err := pprof.StartCPUProfile(&profile); err != nil {
		return err
	}
	began, before := time.Now(), used()
	time.Sleep(length)
	took, within := time.Since(began).Seconds(), used()
	pprof.StopCPUProfile()
	after := used()
	return json.NewEncoder(os.Stdout).Encode(window{
		Seconds: took,
		Used:    within - before,
		Stop:    after - within,
		Profile: base64.StdEncoding.EncodeToString(profile.Bytes()),
	})
}
