// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"math"
	"strconv"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Defaults of the retry of an operation, and how often an automated one is tried again if its spec does not say.
const (
	retryDuration    = 5 * time.Second
	retryFactor      = 2
	retryMaxDuration = 3 * time.Minute
	automatedLimit   = 5
)

// Retry says when a failed operation is tried again.
type Retry struct {
	Limit    int64 // below zero: without end
	Duration time.Duration
	Factor   int64
	Max      time.Duration
	Refresh  bool
}

// AutomatedRetry returns the strategy that an automated sync takes along: that of the spec, or five tries.
func AutomatedRetry(spec *v1alpha1.RetryStrategy) v1alpha1.RetryStrategy {
	if spec == nil {
		return v1alpha1.RetryStrategy{Limit: automatedLimit}
	}
	return *spec
}

// ParseRetry reads a strategy. Durations are Go durations or a bare number of seconds; what is not said is 5s, ×2 and 3m. A
// duration that cannot be read is a fault.Mistake that names the field.
func ParseRetry(s v1alpha1.RetryStrategy) (Retry, error) {
	r := Retry{Limit: s.Limit, Duration: retryDuration, Factor: retryFactor, Max: retryMaxDuration, Refresh: s.Refresh}
	if s.Backoff == nil {
		return r, nil
	}
	var err error
	if r.Duration, err = parseDuration("duration", s.Backoff.Duration, retryDuration); err != nil {
		return Retry{}, err
	}
	if r.Max, err = parseDuration("maxDuration", s.Backoff.MaxDuration, retryMaxDuration); err != nil {
		return Retry{}, err
	}
	if s.Backoff.Factor != nil {
		r.Factor = max(1, *s.Backoff.Factor)
	}
	return r, nil
}

func parseDuration(field, text string, otherwise time.Duration) (time.Duration, error) {
	if text == "" {
		return otherwise, nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fault.New(fault.Mistake, "read", "the retry strategy", "retry.backoff."+field,
			strconv.Quote(text)+" is not a duration", "write it like 30s or 2m")
	}
	return d, nil
}

// Next returns how long to wait after the end of a failed try, and whether there is another at all. retries is how many
// tries came after the first one so far.
func (r Retry) Next(retries int64) (wait time.Duration, again bool) {
	if r.Limit >= 0 && retries >= r.Limit {
		return 0, false
	}
	return backoff(r.Duration, r.Factor, retries, r.Max), true
}

// backoff returns first × factor^n, at most the cap. It does not overflow.
func backoff(first time.Duration, factor, n int64, limit time.Duration) time.Duration {
	if first <= 0 {
		return 0
	}
	seconds := first.Seconds() * math.Pow(float64(factor), float64(n))
	if seconds >= limit.Seconds() {
		return limit
	}
	return time.Duration(seconds * float64(time.Second))
}
