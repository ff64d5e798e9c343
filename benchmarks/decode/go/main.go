// Command decode reads profiles with the package that `go tool pprof` reads them with.
//
// Each line of standard input is a request, each line of standard output its answer, or one for each part of a batch: a
// file of parts, each behind its length in four bytes, the lowest first.
//
//	read FILE      for each message of a batch, none of them compressed: what Go reads in it, or "no" and why it refuses it
//	parse FILE     for each file of a batch, compressed or not: "ok", or "no" and why ParseData refuses it
//	gunzip FILE    for each stream of a batch: the length and the CRC of its contents, or "no" and why Go refuses it
//	sums FILE      the total of the last sample type, how many functions have one, the sum of their flat and of their cum
//	time N FILE    nanoseconds of CPU that N times parsing and summing took, with the collection of its garbage
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/google/pprof/profile"
)

// weight is the value of a function; last is the sample that was added last.
type weight struct {
	flat, cum int64
	last      int
}

func main() {
	requests := bufio.NewScanner(os.Stdin)
	for requests.Scan() {
		fmt.Println(answer(requests.Text()))
	}
}

func answer(request string) string {
	verb, rest, _ := strings.Cut(request, " ")
	rounds := 1
	if verb == "time" {
		if _, err := fmt.Sscan(rest, &rounds); err != nil {
			return err.Error()
		}
		_, rest, _ = strings.Cut(rest, " ")
	}
	data, err := os.ReadFile(rest)
	if err != nil {
		return err.Error()
	}
	switch verb {
	case "read":
		return each(data, read)
	case "parse":
		return each(data, parse)
	case "gunzip":
		return each(data, gunzip)
	}
	parsed, err := profile.ParseData(data)
	if err != nil {
		return err.Error()
	}
	switch verb {
	case "sums":
		return sums(parsed)
	case "time":
		return fmt.Sprint(measure(data, rounds).Nanoseconds())
	}
	return "unknown request " + verb
}

// each is the answers for all parts of a batch.
func each(batch []byte, answer func([]byte) string) string {
	var answers []string
	for len(batch) > 0 {
		end := 4 + binary.LittleEndian.Uint32(batch)
		answers = append(answers, answer(batch[4:end]))
		batch = batch[end:]
	}
	return strings.Join(answers, "\n")
}

// read leaves out the text formats, which ParseData tries next: the reason why it is no message is lost there.
func read(data []byte) string {
	parsed, err := profile.ParseUncompressed(data)
	if err == nil {
		err = parsed.CheckValid()
	}
	if err != nil {
		return "no " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	if len(parsed.SampleType) == 0 {
		return "no sample types"
	}
	return fmt.Sprint(len(parsed.Sample), len(parsed.Location), len(parsed.Function), len(parsed.Mapping),
		parsed.TimeNanos, parsed.DurationNanos, parsed.Period, totals(parsed)) + " " + sums(parsed)
}

func parse(data []byte) string {
	if _, err := profile.ParseData(data); err != nil {
		return "no " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return "ok"
}

func gunzip(data []byte) string {
	stream, err := gzip.NewReader(bytes.NewReader(data))
	var contents []byte
	if err == nil {
		contents, err = io.ReadAll(stream)
	}
	if err != nil {
		return "no " + err.Error()
	}
	return fmt.Sprint(len(contents), crc32.ChecksumIEEE(contents))
}

func sums(p *profile.Profile) string {
	all, byFunction := totals(p), weights(p, len(p.SampleType)-1)
	var flat, cum int64
	functions := 0
	for _, w := range byFunction {
		if w.flat != 0 || w.cum != 0 {
			functions++
		}
		flat += w.flat
		cum += w.cum
	}
	return fmt.Sprint(all[len(all)-1], functions, flat, cum)
}

// measure leaves the garbage of the rounds before behind first, so that each measurement pays for its own.
func measure(data []byte, rounds int) time.Duration {
	runtime.GC()
	began := used()
	for range rounds {
		p, err := profile.ParseData(data)
		if err != nil {
			panic(err)
		}
		totals(p)
		weights(p, len(p.SampleType)-1)
	}
	return used() - began
}

// used is the CPU time of the process.
func used() time.Duration {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func totals(p *profile.Profile) []int64 {
	sums := make([]int64, len(p.SampleType))
	for _, sample := range p.Sample {
		for i, value := range sample.Value {
			sums[i] += value
		}
	}
	return sums
}

// weights sums one sample type by function name. A function that stands on a stack twice counts once.
func weights(p *profile.Profile, index int) map[string]*weight {
	byFunction := make(map[string]*weight)
	of := func(name string) *weight {
		w := byFunction[name]
		if w == nil {
			w = &weight{last: -1}
			byFunction[name] = w
		}
		return w
	}
	for i, sample := range p.Sample {
		value := sample.Value[index]
		if value == 0 || len(sample.Location) == 0 {
			continue
		}
		of(names(sample.Location[0])[0]).flat += value
		add := func(w *weight) {
			if w.last != i {
				w.last = i
				w.cum += value
			}
		}
		for _, location := range sample.Location {
			for _, name := range names(location) {
				add(of(name))
			}
		}
	}
	return byFunction
}

// names are those of the functions of a location, innermost first; there is at least one.
func names(location *profile.Location) []string {
	if len(location.Line) == 0 {
		return []string{unsymbolised(location)}
	}
	found := make([]string, len(location.Line))
	for i, line := range location.Line {
		found[i] = cmp.Or(line.Function.Name, line.Function.SystemName)
		if found[i] == "" {
			found[i] = unsymbolised(location)
		}
	}
	return found
}

// unsymbolised names a location after its file, in the form of the reports of pprof.
func unsymbolised(location *profile.Location) string {
	if location.Mapping == nil || location.Mapping.File == "" {
		return "<unknown>"
	}
	file := location.Mapping.File
	return "[" + file[strings.LastIndexAny(file, `/\`)+1:] + "]"
}
