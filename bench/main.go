// SPDX-License-Identifier: Apache-2.0

// Command bench measures Bowline against a real control plane and prints one line of JSON for each number.
//
// The words of this room:
//
//   - Fleet: N applications of M objects each (1 Deployment, 1 Service, the rest ConfigMaps) in one repository.
//   - Floor: what the API server itself needs for the same work: a bare server-side-apply loop with 16 workers over
//     the same objects, and two merge patches per Application, on the same machine in the same run. It has a control
//     plane of its own, so that nothing of it disturbs the measurement.
//   - Monorepo: one repository with thousands of applications of one object each.
//   - Engine: one room measured by itself, by its Go benchmarks.
//   - Ratio: a measured time divided by the floor of the same run. It is the only figure that compares between runs.
//
// Flags choose the size; the defaults are the ones the documented numbers are for.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

type config struct {
	fleet
	many    int // applications of the large repository
	samples int
	bin     string
	only    string
	verbose bool
}

func main() {
	var c config
	flag.IntVar(&c.apps, "apps", 200, "applications")
	flag.IntVar(&c.objects, "objects", 10, "objects of each application, 3 at least")
	flag.IntVar(&c.many, "many", 5000, "applications of the row with one large repository")
	flag.StringVar(&c.only, "only", "", "fleet, monorepo or engines; all of them if empty")
	flag.IntVar(&c.samples, "samples", 15, "edits, deletions and pushes to take the median and the worst of")
	flag.StringVar(&c.bin, "bin", "bin", "folder of the bowline and devcluster binaries")
	flag.BoolVar(&c.verbose, "v", false, "show what is being done on standard error")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, c config) error {
	dir, err := os.MkdirTemp("", "bowline-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, part := range []struct {
		name    string
		measure func() error
	}{
		{"fleet", func() error { return measureFleet(ctx, c, dir) }},
		{"monorepo", func() error { return measureMonorepo(ctx, c, filepath.Join(dir, "monorepo")) }},
		{"engines", func() error { return measureEngines(ctx) }},
	} {
		if c.only != "" && c.only != part.name {
			continue
		}
		if err := part.measure(); err != nil {
			return err
		}
	}
	return nil
}

// measureFleet reports the rows of the fleet, beside its floor.
func measureFleet(ctx context.Context, c config, dir string) error {
	c.note("measuring the floor")
	base, err := measureFloor(ctx, c, filepath.Join(dir, "floor"))
	if err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	report(map[string]any{"row": "floor", "objects": c.apps * c.objects, "seconds": round(base.all.Seconds()),
		"seconds_one_object_each": round(base.one.Seconds())})

	s, err := newSubject(ctx, c, filepath.Join(dir, "subject"))
	if err != nil {
		return err
	}
	defer s.close()
	for _, row := range []struct {
		name    string
		measure func(context.Context, floor) (map[string]any, error)
	}{
		{"sync-all", s.syncAll}, {"push-one", s.pushOne}, {"revision-follows", s.revisionFollows}, {"push-all", s.pushAll},
		{"drift", s.drift}, {"delete", s.deleted}, {"idle", s.idle}, {"memory", s.memory}, {"restart", s.restart},
	} {
		c.note("measuring " + row.name)
		result, err := row.measure(ctx, base)
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", row.name, err, s.tail())
		}
		result["row"] = row.name
		report(result)
	}
	return nil
}

func report(row map[string]any) {
	line, err := json.Marshal(row)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func (c config) note(text string) {
	if c.verbose {
		fmt.Fprintln(os.Stderr, "bench:", text)
	}
}

func round(x float64) float64 { return float64(int(x*1000+0.5)) / 1000 }
