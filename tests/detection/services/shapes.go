package main

import (
	"io"
	"log"
	"math"
	"net"
	"runtime"
	"sort"
	"strconv"
	"time"
)

// startBatch works on every processor for a twentieth of each period.
func startBatch(period time.Duration) {
	go func() {
		for range time.Tick(period) {
			done := make(chan int)
			for i := 0; i < runtime.GOMAXPROCS(0); i++ {
				go func() { done <- sortRows(time.Now().Add(period / 20)) }()
			}
			for i := 0; i < runtime.GOMAXPROCS(0); i++ {
				<-done
			}
		}
	}()
}

//go:noinline
func sortRows(until time.Time) int {
	count := 0
	for ; time.Now().Before(until); count++ {
		rows := make([]int, 2000)
		for i := range rows {
			rows[i] = i * 7919 % 2003
		}
		sort.Ints(rows)
	}
	return count
}

const (
	fewest = 30
	most   = 330
)

// startProxy holds connections to itself: 30 at night, 330 at the height of the day.
func startProxy(day time.Duration) {
	listener := listening("127.0.0.1:0")
	go accept(listener)
	go func() {
		var held []net.Conn
		started := time.Now()
		for range time.Tick(min(day/200, 500*time.Millisecond)) {
			phase := 2 * math.Pi * float64(time.Since(started)) / float64(day)
			wanted := fewest + int((most-fewest)*(1-math.Cos(phase))/2)
			for len(held) < wanted {
				held = append(held, connect(listener.Addr().String()))
			}
			for len(held) > wanted {
				held[len(held)-1].Close()
				held = held[:len(held)-1]
			}
		}
	}()
}

func accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go relay(conn)
	}
}

//go:noinline
func relay(conn net.Conn) {
	defer conn.Close()
	io.Copy(conn, conn)
}

func connect(address string) net.Conn {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	return conn
}

// table is what a service loads at its start: many small records, which a collection has to visit one by one.
var table map[string]*record

type record struct {
	name    string
	before  *record
	columns [4]*string
}

func startRedeploy() {
	table = map[string]*record{}
	var latest *record
	for i := 0; i < 100_000; i++ {
		one := &record{name: strconv.Itoa(i), before: latest}
		one.columns = [4]*string{&one.name, new(string), new(string), new(string)}
		table[one.name], latest = one, one
	}
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			sortRows(time.Now().Add(time.Millisecond))
		}
	}()
}
