package main

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"math/rand"
	"net/http"
	"sync"
)

// answer is a reply of a handler, kept to be sent in another way.
type answer struct {
	over   http.ResponseWriter
	status int
	header http.Header
	body   bytes.Buffer
}

func (a *answer) Header() http.Header              { return a.header }
func (a *answer) WriteHeader(status int)           { a.status = status }
func (a *answer) Write(octets []byte) (int, error) { return a.body.Write(octets) }

// Unwrap lets net/http/pprof move the write deadline of the connection (Go 1.23 and later).
func (a *answer) Unwrap() http.ResponseWriter { return a.over }

// send writes the kept status and headers with another body.
func (a *answer) send(w http.ResponseWriter, body []byte) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	w.Write(body)
}

// servePprofError writes an error as net/http/pprof does, in the same order.
func servePprofError(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Go-Pprof", "1")
	w.Header().Del("Content-Disposition")
	w.WriteHeader(status)
	w.Write([]byte(text + "\n"))
}

func servePage(w http.ResponseWriter, title, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write([]byte("<!DOCTYPE html>\n<html><head><title>" + title + "</title></head>\n<body>" + body + "</body></html>\n"))
}

// serveRouterPage is what a single-page application answers for every path it does not know.
func serveRouterPage(w http.ResponseWriter) {
	servePage(w, "Shop", `<div id="app"></div><script src="/app.js"></script>`)
}

func serveLogin(w http.ResponseWriter, _ *http.Request) {
	servePage(w, "Sign in", `<form method="post"><input name="user"><input name="password" type="password"></form>`)
}

func zip(body []byte) []byte {
	var packed bytes.Buffer
	stream := gzip.NewWriter(&packed)
	stream.Write(body)
	stream.Close()
	return packed.Bytes()
}

// garbage is 4 KiB of noise, the same each time, that does not begin like gzip.
func garbage() []byte {
	noise := make([]byte, 4096)
	rand.New(rand.NewSource(2)).Read(noise)
	noise[0] = 0xff
	return noise
}

// danglingProfile is a profile.proto message of one sample type and one sample, which refers to
// location 7; there is no location.
var danglingProfile = []byte("\x0a\x04\x08\x01\x10\x02" + // sample_type {type: 1, unit: 2}
	"\x12\x06\x0a\x01\x07\x12\x01\x01" + // sample {location_id: [7], value: [1]}
	"\x32\x00\x32\x07samples\x32\x05count") // string_table

const (
	bombBlock  = 16 << 20
	bombBlocks = 128 // 2 GiB
)

// bomb is 2 MB of gzip that inflate to 2 GiB of zeros, made without compressing as much: after a
// sync flush the second block of zeros refers to zeros only, and may be repeated as it stands.
var bomb = sync.OnceValue(func() []byte {
	zeros := make([]byte, bombBlock)
	var packed bytes.Buffer
	stream, _ := flate.NewWriter(&packed, flate.BestCompression)
	stream.Write(zeros)
	stream.Flush()
	first := packed.Len()
	stream.Write(zeros)
	stream.Flush()
	again := bytes.Clone(packed.Bytes()[first:])

	body := append(zip(nil)[:10:10], packed.Bytes()...)
	sum := crc32.ChecksumIEEE(zeros)
	sum = crc32.Update(sum, crc32.IEEETable, zeros)
	for i := 2; i < bombBlocks; i++ {
		body = append(body, again...)
		sum = crc32.Update(sum, crc32.IEEETable, zeros)
	}
	body = append(body, 1, 0, 0, 0xff, 0xff) // a last block, stored and empty
	body = binary.LittleEndian.AppendUint32(body, sum)
	return binary.LittleEndian.AppendUint32(body, uint32(bombBlock*bombBlocks%(1<<32)))
})
