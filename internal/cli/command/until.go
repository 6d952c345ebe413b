// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"time"
)

// Until reads the value of a flag --until: a length of time from now on, such as 2h, or a time such as
// 2026-03-04T18:00:00Z. "" is none.
func Until(raw string, now time.Time) (time.Time, error) {
	if raw == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(raw); err == nil {
		if d <= 0 {
			return time.Time{}, fmt.Errorf("--until is %q and has to be in the future", raw)
		}
		return now.Add(d).UTC().Truncate(time.Second), nil
	}
	at, err := time.Parse(time.RFC3339, raw)
	switch {
	case err != nil:
		return time.Time{}, fmt.Errorf("--until is %q and has to be a length of time such as 2h, or a time such as 2026-03-04T18:00:00Z", raw)
	case !at.After(now):
		return time.Time{}, fmt.Errorf("--until is %q and has to be in the future", raw)
	}
	return at.UTC(), nil
}
