// SPDX-License-Identifier: Apache-2.0

package view_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/app/view"
	"github.com/bowline-cd/bowline/internal/cli/output"
)

// screen is a terminal of a size.
type screen struct {
	bytes.Buffer
	columns, lines int
}

func (s *screen) Size() (columns, lines int) { return s.columns, s.lines }

// follow shows states of an application one after the other, each a status of its resources.
func follow(t *testing.T, w interface{ Write([]byte) (int, error) }, states ...[]v1alpha1.SyncStatusCode) {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	_, err := view.Follow(w, output.Wide, now, func(progress func(*v1alpha1.Application)) (*v1alpha1.Application, error) {
		for _, state := range states {
			app := &v1alpha1.Application{}
			for i, status := range state {
				app.Status.Resources = append(app.Status.Resources, v1alpha1.ResourceStatus{Kind: "ConfigMap", Name: string(rune('a' + i)), Status: status})
			}
			progress(app)
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

const (
	same  = v1alpha1.SyncStatusCodeSynced
	other = v1alpha1.SyncStatusCodeOutOfSync
)

func TestATerminalIsDrawnInPlace(t *testing.T) {
	s := &screen{columns: 200, lines: 50}
	follow(t, s, []v1alpha1.SyncStatusCode{other, other}, []v1alpha1.SyncStatusCode{same, other})
	before, after, ok := strings.Cut(s.String(), "\x1b[4A\r\x1b[J")
	if !ok || strings.Count(before, "\n") != 4 || strings.Count(before, "OutOfSync") != 2 {
		t.Fatalf("the second picture is not over the four lines of the first:\n%q", s.String())
	}
	if strings.Count(after, "OutOfSync") != 1 || strings.Count(after, "Synced") != 1 || !strings.HasSuffix(after, "\n\n") {
		t.Errorf("the second picture is\n%q", after)
	}
}

func TestAPictureFitsItsTerminal(t *testing.T) {
	s := &screen{columns: 100, lines: 6} // room for two of four resources
	follow(t, s, []v1alpha1.SyncStatusCode{other, other, other, other}, []v1alpha1.SyncStatusCode{other, other, other, same})
	pictures := strings.Split(s.String(), "\x1b[5A\r\x1b[J")
	if len(pictures) != 2 {
		t.Fatalf("got %q", s.String())
	}
	last := strings.TrimSuffix(pictures[1], "\n")
	if !regexp.MustCompile(`ConfigMap +d +Synced`).MatchString(last) || !strings.Contains(last, "and 2 more\n") {
		t.Errorf("what changed last is left out:\n%s", last)
	}
	for _, picture := range pictures {
		for line := range strings.Lines(picture) {
			if len(line) > 101 {
				t.Errorf("a line is longer than the terminal is wide: %q", line)
			}
		}
	}
}

func TestElsewhereAreLinesOfWhatChanged(t *testing.T) {
	var out bytes.Buffer
	follow(t, &out, []v1alpha1.SyncStatusCode{other, other}, []v1alpha1.SyncStatusCode{same, other})
	if strings.Contains(out.String(), "\x1b") || strings.Count(out.String(), "\n") != 5 || strings.Count(out.String(), "2026-01-02T03:04:05Z") != 3 {
		t.Errorf("got\n%s", out.String())
	}
}
