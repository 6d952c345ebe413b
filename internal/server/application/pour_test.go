// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
)

// poured merges logs, each given by what it holds, and returns the texts in the order they are shown.
func poured(t *testing.T, follow bool, logs ...string) []string {
	t.Helper()
	m := newMerger(len(logs))
	for i, text := range logs {
		go m.run(t.Context(), i, func(emit func(logLine) bool) {
			_ = split(strings.NewReader(text), fmt.Sprintf("pod-%d", i), clocktesting.NewFakePassiveClock(noon), emit)
		})
	}
	var out []string
	if err := m.merge(t.Context(), follow, clock.RealClock{}, func(l logLine) error {
		out = append(out, l.pod+" "+l.text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLogsAreMergedByTime(t *testing.T) {
	a := "2026-01-02T00:00:01Z one\n2026-01-02T00:00:04Z four\n2026-01-02T00:00:05Z five"
	b := "2026-01-02T00:00:02.5Z two\n2026-01-02T00:00:03Z three\n"
	want := []string{"pod-0 one", "pod-1 two", "pod-1 three", "pod-0 four", "pod-0 five"}
	if got := poured(t, false, a, b, ""); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// One container that says nothing must not hold up another that says much: every line would wait.
func TestASilentLogDoesNotHoldUpTheOthers(t *testing.T) {
	fake := clocktesting.NewFakeClock(noon)
	ctx, cancel := context.WithCancelCause(t.Context())
	m := newMerger(2)
	const lines = 1000
	go m.run(ctx, 0, func(emit func(logLine) bool) {
		for i := range lines {
			if !emit(logLine{at: noon.Add(time.Duration(i)), text: "x"}) {
				return
			}
		}
		<-ctx.Done()
	})
	go m.run(ctx, 1, func(func(logLine) bool) { <-ctx.Done() })
	go func() {
		for !fake.HasWaiters() {
			time.Sleep(time.Millisecond)
		}
		fake.Step(patience) // once; were it needed for each line, the test would not end
	}()
	seen, done := 0, errors.New("all were shown")
	err := m.merge(ctx, true, fake, func(logLine) error {
		if seen++; seen == lines {
			cancel(done)
		}
		return nil
	})
	if !errors.Is(err, done) || seen != lines {
		t.Errorf("%d lines were shown: %v", seen, err)
	}
}

func TestLinesOfLogs(t *testing.T) {
	var got []string
	long := strings.Repeat("ab", longestLine)
	text := "2026-01-02T00:00:01Z over\rwritten\r\nno time at all\n2026-01-02T00:00:02Z\n2026-01-02T00:00:03Z " + long + "\n2026-01-02T00:00:04Z end"
	if err := split(strings.NewReader(text), "", clocktesting.NewFakePassiveClock(noon), func(l logLine) bool {
		got = append(got, l.at.Format(time.TimeOnly)+" "+l.text)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{"00:00:01 over", "00:00:01 written", "12:00:00 no time at all", "00:00:02 "}
	if len(got) != len(want)+4 || !slices.Equal(got[:4], want) || got[len(got)-1] != "00:00:04 end" {
		t.Errorf("got %d lines, beginning with %.200q", len(got), got)
	}
	whole := ""
	for _, piece := range got[4:7] {
		whole += strings.TrimPrefix(piece, "00:00:03 ")
	}
	if whole != long {
		t.Errorf("a long line comes as %d letters, want %d", len(whole), len(long))
	}
}

func TestLineFilter(t *testing.T) {
	for _, tt := range []struct {
		filter    string
		matchCase bool
		line      string
		want      bool
	}{
		{"", false, "anything", true},
		{"error", false, "an ERROR", true}, {"error", true, "an ERROR", false},
		{"!error", false, "an ERROR", false}, {"!error", true, "an ERROR", true},
		{"!", false, "anything", false},
	} {
		if got := newLineFilter(tt.filter, tt.matchCase).lets(tt.line); got != tt.want {
			t.Errorf("filter %q (case %v) lets %q through: %v", tt.filter, tt.matchCase, tt.line, got)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("2026-01-02T00:00:01Z text\r\nx\n")
	f.Add("\n\r\r\n \n2026-01-02T00:00:01Z\n")
	f.Fuzz(func(t *testing.T, text string) {
		letters := 0
		if err := split(strings.NewReader(text), "p", clocktesting.NewFakePassiveClock(noon), func(l logLine) bool {
			letters += len(l.text)
			if strings.ContainsAny(l.text, "\n\r") || l.at.IsZero() && !strings.HasPrefix(text, "0001-") {
				t.Errorf("a line of %q is %q at %v", text, l.text, l.at)
			}
			return true
		}); err != nil || letters > len(text) {
			t.Errorf("%q gives %d letters, %v", text, letters, err)
		}
	})
}

func FuzzPatched(f *testing.F) {
	f.Add("merge", `{"spec":{"source":null}}`)
	f.Add("json", `[{"op":"copy","from":"/spec","path":"/spec/x"},{"op":"remove","path":"/metadata"}]`)
	f.Fuzz(func(t *testing.T, kind, patch string) {
		if !utf8.ValidString(patch) {
			t.Skip()
		}
		app := appIn("team", "web")
		got, err := patched(app, kind, []byte(patch))
		if err == nil && (got.Name != "web" || got.Namespace != "argocd") {
			t.Errorf("%s patch %q makes it %s/%s", kind, patch, got.Namespace, got.Name)
		}
	})
}
