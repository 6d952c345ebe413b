// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/bowline-cd/bowline/internal/object"
)

type (
	duration = time.Duration
	method   = object.TrackingMethod
)

func text(raw string) (string, error) { return raw, nil }

func boolean(raw string) (bool, error) {
	value, err := strconv.ParseBool(raw)
	if err != nil {
		return false, hint{quoted(raw) + " is neither true nor false", `write "true" or "false"`}
	}
	return value, nil
}

// list reads a comma-separated list.
func list(raw string) ([]string, error) {
	var out []string
	for item := range strings.SplitSeq(raw, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out, nil
}

func oneOf[T ~string](values ...T) func(string) (T, error) {
	return func(raw string) (T, error) {
		if !slices.Contains(values, T(raw)) {
			names := make([]string, len(values))
			for i, v := range values {
				names[i] = string(v)
			}
			return "", hint{quoted(raw) + " is not one of its values", "write " + strings.Join(names, ", ")}
		}
		return T(raw), nil
	}
}

var trackingMethod = oneOf(object.TrackByAnnotation, object.TrackByAnnotationAndLabel, object.TrackByLabel)

func labelKey(raw string) (string, error) {
	if problems := validation.IsQualifiedName(raw); len(problems) > 0 {
		return "", hint{quoted(raw) + " is not a label key: " + problems[0], "write a label key such as app.kubernetes.io/instance"}
	}
	return raw, nil
}

// span reads a length of time: a Go duration, days with the unit d, or a bare number of seconds.
func span(raw string) (time.Duration, error) {
	wrong := hint{quoted(raw) + " is not a length of time", "write one such as 120s, 3m or 1h; 0 turns it off"}
	if n, err := strconv.ParseInt(raw, 10, 32); err == nil {
		raw = strconv.FormatInt(n, 10) + "s"
	}
	if days, ok := strings.CutSuffix(raw, "d"); ok {
		n, err := strconv.ParseInt(days, 10, 16)
		if err != nil {
			return 0, wrong
		}
		raw = strconv.FormatInt(n*24, 10) + "h"
	}
	value, err := time.ParseDuration(raw)
	if err != nil || value < 0 {
		return 0, wrong
	}
	return value, nil
}

// eventBudget reads "10/s burst 100": so many in the long run, so many at once.
func eventBudget(raw string) (EventBudget, error) {
	wrong := hint{quoted(raw) + " is not an event budget", "write one such as 10/s burst 100"}
	rate, burst, ok := strings.Cut(raw, " burst ")
	rate, perSecond := strings.CutSuffix(strings.TrimSpace(rate), "/s")
	if !ok || !perSecond {
		return EventBudget{}, wrong
	}
	r, err := strconv.ParseFloat(rate, 64)
	b, errBurst := strconv.Atoi(strings.TrimSpace(burst))
	if err != nil || errBurst != nil || !(r > 0 && r <= 1e6) || b < 1 || b > 1e6 {
		return EventBudget{}, wrong
	}
	return EventBudget{PerSecond: r, Burst: b}, nil
}

func seconds(raw string) (time.Duration, error) {
	n, err := strconv.ParseInt(raw, 10, 32)
	if err != nil || n < 0 {
		return 0, hint{quoted(raw) + " is not a number of seconds", "write a whole number such as 30"}
	}
	return time.Duration(n) * time.Second, nil
}

func factor(raw string) (int, error) {
	n, err := strconv.Atoi(raw)
	if err != nil || n < 1 || n > 1000 {
		return 0, hint{quoted(raw) + " is not a factor", "write a whole number from 1 to 1000"}
	}
	return n, nil
}

func megabytes(raw string) (int64, error) {
	n, err := strconv.ParseInt(raw, 10, 32)
	if err != nil || n < 1 || n > 1024 {
		return 0, hint{quoted(raw) + " is not a size in megabytes", "write a whole number from 1 to 1024"}
	}
	return n << 20, nil
}

func notYAML(err error) error {
	return hint{fmt.Sprintf("not the YAML that is asked for: %v", err), "mend the YAML"}
}
