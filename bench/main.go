// SPDX-License-Identifier: Apache-2.0

// Command bench measures Bowline against a real control plane and prints one line of JSON for each number.
//
// The words of this room:
//
//   - Fleet: N applications of M objects each (1 Deployment, 1 Service, the rest ConfigMaps) in one repository.
//   - Floor: what the API server itself needs for the same work: a bare server-side-apply loop with 16 workers over
//     the same objects, and two merge patches per Application, on the same machine in the same run. It has a control
//     plane of its own, so that nothing of it disturbs the measurement.
//   - Load: applications that are there before Bowline is, and what a bare loop needs for the same.
//   - Overhead: the processor time of Bowline less that of the bare loop, which has to send the same objects.
//   - Monorepo: one repository with thousands of applications of one object each.
//   - Estate: one cluster with many objects, of which a part is ours.
//   - Storm: events of the estate's objects, as many each second as the goal says.
//   - Engine: one room measured by itself, by its Go benchmarks.
//   - Ratio: a measured time divided by the floor of the same run. It is the only figure that compares between runs.
//   - Goal: what a figure is to reach. Beside it stands how much of it was used: 1 or less is reached.
//
// README.md says what each row measures.
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
	"slices"
	"strings"
	"syscall"
	"time"
)

type config struct {
	fleet
	many    int // applications of the large repository
	samples int
	bin     string
	only    string
	scale   float64       // of the estate
	keep    string        // folder of prepared control planes
	storm   time.Duration // how long events come
	rate    int           // of them, each second
	crds    int
	small   int // applications of one ConfigMap
	waved   int // objects of the application with waves
	jobs    int // applications with a Job before each sync
	listed  int // applications that -only api lists
	streams int // subscribers of -only api
	calls   int // requests a second of -only api
	leaves  int // objects of the large tree of -only page
	verbose bool
	audited bool // control planes write an audit log
}

func main() {
	var c config
	flag.IntVar(&c.apps, "apps", 200, "applications")
	flag.IntVar(&c.objects, "objects", 10, "objects of each application, 3 at least")
	flag.IntVar(&c.many, "many", 5000, "applications of the row with one large repository")
	flag.StringVar(&c.only, "only", "", "one part: "+strings.Join(parts(), ", ")+"; all of them if empty")
	flag.Float64Var(&c.scale, "scale", 1, "of the cluster of -only live: 1 is 100,000 objects, 20,000 of them of 2,000 applications")
	flag.StringVar(&c.keep, "keep", "", "folder where the prepared cluster of -only live is kept, and found again")
	flag.DurationVar(&c.storm, "storm", time.Minute, "how long -only live sends events")
	flag.IntVar(&c.rate, "rate", 1000, "how many events -only live sends each second, if the API server carries them")
	flag.IntVar(&c.crds, "crds", 1000, "unused CRDs of -only crds")
	flag.IntVar(&c.small, "small", 10_000, "applications of -only ten-thousand")
	flag.IntVar(&c.waved, "waved", 3000, "objects of the application of -only waves")
	flag.IntVar(&c.jobs, "jobs", 500, "applications of -only hooks")
	flag.IntVar(&c.listed, "listed", 10_000, "applications that -only api and -only page list")
	flag.IntVar(&c.streams, "streams", 1000, "subscribers of -only api")
	flag.IntVar(&c.calls, "calls", 2000, "requests each second of -only api")
	flag.IntVar(&c.leaves, "leaves", 5000, "objects of the application whose tree -only page looks at")
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

// part is what -only names.
type part struct {
	name    string
	measure func(ctx context.Context, c config, dir string) error
}

var all = []part{
	{"fleet", measureFleet}, {"monorepo", measureMonorepo}, {"ten-thousand", measureTenThousand}, {"waves", measureWaves}, {"hooks", measureHooks},
	{"fix", measureFix}, {"rollback", measureRollback},
	{"live", measureLive}, {"api", measureAPI}, {"page", measurePage}, {"policy", measurePolicy}, {"crds", measureCRDs}, {"row", measureRow}, {"clusters", measureClusters}, {"engines", measureEngines},
}

func parts() (names []string) {
	for _, p := range all {
		names = append(names, p.name)
	}
	return names
}

func run(ctx context.Context, c config) error {
	if c.only != "" && !slices.Contains(parts(), c.only) {
		return fmt.Errorf("-only %s: there is no such part; there are %s", c.only, strings.Join(parts(), ", "))
	}
	dir, err := os.MkdirTemp("", "bowline-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, part := range all {
		if c.only != "" && c.only != part.name {
			continue
		}
		if err := part.measure(ctx, c, filepath.Join(dir, part.name)); err != nil {
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
	report(map[string]any{"row": "floor", "objects": c.apps * c.objects, "seconds": round(base.all.time.Seconds()),
		"seconds_one_object_each": round(base.one.time.Seconds()), "cpu_ms_per_object": perObject(base.all.cpu, c.apps*c.objects)})

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

// report prints a row beside its goals.
func report(row map[string]any) {
	judge(row)
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
