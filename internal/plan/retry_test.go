// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"testing"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

func TestRetry(t *testing.T) {
	factor := func(n int64) *int64 { return &n }
	tests := []struct {
		reason   string
		strategy v1alpha1.RetryStrategy
		want     []time.Duration // waits after each failure, until there is no other try; nil entries are not reached
		endless  bool
	}{
		{"no retries", v1alpha1.RetryStrategy{}, nil, false},
		{"defaults", v1alpha1.RetryStrategy{Limit: 3}, []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second}, false},
		{"capped at three minutes", v1alpha1.RetryStrategy{Limit: -1},
			[]time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 180 * time.Second, 180 * time.Second}, true},
		{"durations", v1alpha1.RetryStrategy{Limit: 3, Backoff: &v1alpha1.Backoff{Duration: "1m", MaxDuration: "90s", Factor: factor(3)}},
			[]time.Duration{time.Minute, 90 * time.Second, 90 * time.Second}, false},
		{"a bare number is seconds", v1alpha1.RetryStrategy{Limit: 2, Backoff: &v1alpha1.Backoff{Duration: "7", Factor: factor(1)}},
			[]time.Duration{7 * time.Second, 7 * time.Second}, false},
		{"a factor below one is one", v1alpha1.RetryStrategy{Limit: 2, Backoff: &v1alpha1.Backoff{Factor: factor(0)}},
			[]time.Duration{5 * time.Second, 5 * time.Second}, false},
		{"no pause", v1alpha1.RetryStrategy{Limit: 2, Backoff: &v1alpha1.Backoff{Duration: "0"}}, []time.Duration{0, 0}, false},
	}
	for _, tt := range tests {
		r, err := ParseRetry(tt.strategy)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		for n, want := range tt.want {
			if wait, again := r.Next(int64(n)); !again || wait != want {
				t.Errorf("%s: after %d retries: got %v, %v, want %v", tt.reason, n, wait, again, want)
			}
		}
		if wait, again := r.Next(int64(len(tt.want))); again != tt.endless {
			t.Errorf("%s: after %d retries: got %v, %v", tt.reason, len(tt.want), wait, again)
		}
		if wait, _ := r.Next(100_000); wait < 0 || wait > 3*time.Minute {
			t.Errorf("%s: after very many retries the wait is %v", tt.reason, wait)
		}
	}
}

func TestRetryThatCannotBeRead(t *testing.T) {
	for _, b := range []v1alpha1.Backoff{{Duration: "soon"}, {MaxDuration: "-5s"}, {Duration: "-3"}} {
		if _, err := ParseRetry(v1alpha1.RetryStrategy{Limit: 1, Backoff: &b}); !fault.Is(err, fault.Mistake) {
			t.Errorf("%+v: got %v, want a mistake", b, err)
		}
	}
}

func TestAutomatedRetry(t *testing.T) {
	if got := AutomatedRetry(nil).Limit; got != 5 {
		t.Errorf("without a strategy in the spec an automated sync is tried again %d times, want 5", got)
	}
	if got := AutomatedRetry(&v1alpha1.RetryStrategy{}).Limit; got != 0 {
		t.Errorf("a strategy of the spec counts even if it says none; got %d", got)
	}
}
