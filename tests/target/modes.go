package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand"
	"net"
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"time"
)

// exchange is one request to be answered wrongly.
type exchange struct {
	w     http.ResponseWriter
	r     *http.Request
	next  http.Handler // gives the real answer
	pause time.Duration
}

// modes are the faults by name.
var modes = map[string]func(*exchange){
	"slow":           (*exchange).slow,
	"truncated":      (*exchange).truncated,
	"truncated-gzip": (*exchange).truncatedGzip,
	"html":           func(x *exchange) { serveRouterPage(x.w) },
	"text":           (*exchange).text,
	"404":            func(x *exchange) { http.NotFound(x.w, x.r) },
	"404-unknown":    func(x *exchange) { servePprofError(x.w, http.StatusNotFound, "Unknown profile") },
	"500":            func(x *exchange) { x.status(http.StatusInternalServerError) },
	"503":            func(x *exchange) { x.status(http.StatusServiceUnavailable, "Retry-After", "1") },
	"401":            func(x *exchange) { x.status(http.StatusUnauthorized, "WWW-Authenticate", `Basic realm="pprof"`) },
	"403":            func(x *exchange) { x.status(http.StatusForbidden) },
	"405":            func(x *exchange) { x.status(http.StatusMethodNotAllowed, "Allow", "POST") },
	"302":            func(x *exchange) { http.Redirect(x.w, x.r, "/login", http.StatusFound) },
	"busy":           (*exchange).busy,
	"write-timeout":  (*exchange).writeTimeout,
	"hang":           func(x *exchange) { <-x.r.Context().Done() },
	"hang-body":      (*exchange).hangBody,
	"trickle":        (*exchange).trickle,
	"endless":        (*exchange).endless,
	"bomb":           func(x *exchange) { x.profile(bomb()) },
	"wrong-type":     (*exchange).wrongType,
	"encoded":        (*exchange).encoded,
	"empty":          func(x *exchange) { x.profile(nil) },
	"204":            func(x *exchange) { x.w.WriteHeader(http.StatusNoContent) },
	"reset":          (*exchange).reset,
	"close":          func(x *exchange) { x.hijack().Close() },
	"garbage":        func(x *exchange) { x.profile(garbage()) },
	"not-http":       (*exchange).notHTTP,
	"invalid":        func(x *exchange) { x.profile(zip(danglingProfile)) },
	"trace":          (*exchange).trace,
}

func (x *exchange) slow() {
	if x.sleep() {
		x.next.ServeHTTP(x.w, x.r)
	}
}

// truncated sends half of the real answer and breaks the connection.
func (x *exchange) truncated() {
	real := x.real()
	real.send(x.w, real.body.Bytes()[:real.body.Len()/2])
	x.flush()
	panic(http.ErrAbortHandler) // the one way to close a connection in the middle of an answer
}

// truncatedGzip sends half of the real body as if it were all: only the gzip reader notices.
func (x *exchange) truncatedGzip() {
	real := x.real()
	half := real.body.Bytes()[:real.body.Len()/2]
	real.header.Set("Content-Length", fmt.Sprint(len(half)))
	real.send(x.w, half)
}

// text answers in the format of debug=1, which CPU profiles and traces do not have.
func (x *exchange) text() {
	switch endpoint(x.r.URL.Path) {
	case "profile", "trace", "cmdline", "symbol", "metrics":
		x.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		pprof.Lookup("goroutine").WriteTo(x.w, 1)
	default:
		asked := x.r.Clone(x.r.Context())
		asked.URL.RawQuery = "debug=1"
		x.next.ServeHTTP(x.w, asked)
	}
}

// busy is the reply of net/http/pprof while another client profiles.
func (x *exchange) busy() {
	reason := "Could not enable CPU profiling: cpu profiling already in use"
	if endpoint(x.r.URL.Path) == "trace" {
		reason = "Could not enable tracing: execution tracer already enabled"
	}
	x.w.Header().Set("X-Content-Type-Options", "nosniff")
	servePprofError(x.w, http.StatusInternalServerError, reason)
}

// writeTimeout is the reply of Go up to 1.22 when the server's WriteTimeout is too short.
func (x *exchange) writeTimeout() {
	x.w.Header().Set("X-Content-Type-Options", "nosniff")
	servePprofError(x.w, http.StatusBadRequest, "profile duration exceeds server's WriteTimeout")
}

// hangBody sends the headers and the first ten bytes of a gzip stream, then nothing.
func (x *exchange) hangBody() {
	x.profileHeader()
	x.w.Write(zip(nil)[:10])
	x.flush()
	<-x.r.Context().Done()
}

func (x *exchange) trickle() {
	if x.pause == 0 {
		x.pause = 100 * time.Millisecond
	}
	real := x.real()
	real.send(x.w, nil)
	for _, octet := range real.body.Bytes() {
		if !x.sleep() {
			return
		}
		x.w.Write([]byte{octet})
		x.flush()
	}
}

// endless sends a gzip stream that inflates to what it weighs and has no end, 64 KiB a pause.
func (x *exchange) endless() {
	x.pause = max(x.pause, time.Millisecond)
	x.profileHeader()
	stream, _ := gzip.NewWriterLevel(x.w, gzip.NoCompression)
	block := make([]byte, 64<<10)
	rand.New(rand.NewSource(1)).Read(block)
	for x.sleep() {
		if _, err := stream.Write(block); err != nil {
			return
		}
	}
}

func (x *exchange) wrongType() {
	real := x.real()
	real.header.Set("Content-Type", "text/html; charset=utf-8")
	real.send(x.w, real.body.Bytes())
}

// encoded compresses the answer for the way, as a proxy may: the profile inside stays compressed.
func (x *exchange) encoded() {
	real := x.real()
	real.header.Set("Content-Encoding", "gzip")
	real.send(x.w, zip(real.body.Bytes()))
}

// reset drops the connection with RST instead of FIN.
func (x *exchange) reset() {
	conn := x.hijack()
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

func (x *exchange) notHTTP() {
	conn := x.hijack()
	defer conn.Close()
	conn.Write([]byte("hello\r\n"))
}

// trace answers with an execution trace, whatever was asked.
func (x *exchange) trace() {
	var recorded bytes.Buffer
	if err := trace.Start(&recorded); err != nil {
		servePprofError(x.w, http.StatusInternalServerError, "Could not enable tracing: "+err.Error())
		return
	}
	time.Sleep(20 * time.Millisecond)
	trace.Stop()
	x.profile(recorded.Bytes())
}

// sleep pauses; it is false when the client went away meanwhile.
func (x *exchange) sleep() bool {
	select {
	case <-time.After(x.pause):
		return true
	case <-x.r.Context().Done():
		return false
	}
}

func (x *exchange) flush() { http.NewResponseController(x.w).Flush() }

// hijack takes the connection away from the server.
func (x *exchange) hijack() net.Conn {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return conn
}

// status answers with the text of the status and the headers given as pairs.
func (x *exchange) status(code int, headers ...string) {
	for i := 0; i+1 < len(headers); i += 2 {
		x.w.Header().Set(headers[i], headers[i+1])
	}
	http.Error(x.w, http.StatusText(code), code)
}

// profile answers with a body that claims to be a profile.
func (x *exchange) profile(body []byte) {
	x.profileHeader()
	x.w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	x.w.Write(body)
}

func (x *exchange) profileHeader() {
	header := x.w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", endpoint(x.r.URL.Path)))
}

// real runs the real handler and keeps its answer.
func (x *exchange) real() *answer {
	kept := &answer{over: x.w, status: http.StatusOK, header: http.Header{}}
	x.next.ServeHTTP(kept, x.r)
	return kept
}
