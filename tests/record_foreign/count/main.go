// Counts what Go's own reader of profiles sees in each file named, one JSON object a line.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"count/profile"
)

type counts struct {
	Samples   int              `json:"samples"`
	Locations int              `json:"locations"`
	Functions int              `json:"functions"`
	Mappings  int              `json:"mappings"`
	Totals    map[string]int64 `json:"totals"`
}

func count(path string) (counts, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return counts{}, err
	}
	p, err := profile.Parse(bytes.NewReader(data))
	if err != nil {
		return counts{}, fmt.Errorf("%s: %w", path, err)
	}
	totals := map[string]int64{}
	for place, kind := range p.SampleType {
		name := kind.Type + "/" + kind.Unit
		totals[name] = 0
		for _, sample := range p.Sample {
			totals[name] += sample.Value[place]
		}
	}
	return counts{len(p.Sample), len(p.Location), len(p.Function), len(p.Mapping), totals}, nil
}

func main() {
	for _, path := range os.Args[1:] {
		seen, err := count(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		json.NewEncoder(os.Stdout).Encode(seen)
	}
}
