// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/app"
	"github.com/bowline-cd/bowline/internal/worker"
	"github.com/bowline-cd/bowline/test/devcluster"
)

// programName is the name under which the test binary is the program.
const programName = "bowline"

var rounds = flag.Int("rounds", 0, "how many rounds there are; 0 means as many as fit")

func TestMain(m *testing.M) {
	worker.MainIfAsked()
	if filepath.Base(os.Args[0]) == programName {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := app.Main(ctx, os.Args[1:])
		stop()
		os.Exit(code)
	}
	devcluster.Main(m)
}

const (
	// size is how many scenarios a round has.
	size = 12
	// short is how long rounds are begun in the short form of the test, and at most so many.
	short       = 75 * time.Second
	shortRounds = 4
	// longCases is how many scenarios the long form has at least.
	longCases = 500
)

// TestSyncsKeepTheRules is the property test of syncs.
func TestSyncsKeepTheRules(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("BOWLINE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	count, until := shortRounds, time.Now().Add(short)
	if os.Getenv("BOWLINE_SOAK") != "" {
		count, until = (longCases+size-1)/size, time.Now().Add(24*time.Hour)
	}
	if *rounds > 0 {
		count, until = *rounds, time.Now().Add(24*time.Hour)
	}
	cases := 0
	for i := 0; i < count && time.Now().Before(until); i++ {
		t.Run(fmt.Sprintf("BOWLINE_SEED=%d", seed), func(t *testing.T) { oneRound(t, fmt.Sprintf("r%d", i), seed) })
		cases += size
		seed++
	}
	t.Logf("%d applications", cases)
}

func oneRound(t *testing.T, name string, seed uint64) {
	began := time.Now()
	r := newRound(t, name, seed, size)
	problems, err := r.run(t.Context())
	t.Logf("%s, %d kills of %d programs, supersede %s", time.Since(began).Round(time.Second), r.kills, len(r.programs), r.supersede)
	for _, s := range r.scenarios {
		if found := problems[s.name]; len(found) > 0 {
			t.Errorf("%s\n%s", strings.Join(found, "\n"), r.tellOf(s))
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// tellOf describes a scenario and what became of it.
func (r *round) tellOf(s *scenario) string {
	lines := []string{fmt.Sprintf("%s: retry limit %d, self-heal %t, options %v", s.name, s.retries, s.selfHeal, s.options)}
	for i, c := range s.commits {
		lines = append(lines, fmt.Sprintf("commit %d, after revision %d:", i, c.since))
		for _, t := range c.things {
			lines = append(lines, "    "+t.String())
		}
	}
	history, err := r.recorder.history(s.name, r.commitOf(s.name))
	if err != nil {
		return err.Error()
	}
	for _, e := range history {
		lines = append(lines, e.String())
	}
	if seen := r.recorder.latest[key("Application", s.name)]; seen.object != nil {
		lines = append(lines, fmt.Sprint("status: ", seen.object.Object["status"]))
	}
	return strings.Join(lines, "\n")
}
