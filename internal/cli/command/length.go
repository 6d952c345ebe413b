// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Length reads how long something is to last: a length of time such as 12h, or days such as 7d. "" is zero.
func Length(flag, raw string) (time.Duration, error) {
	if raw == "" {
		return 0, nil
	}
	if days, ok := strings.CutSuffix(raw, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(raw)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s is %q and has to be a length of time such as 12h or 7d", flag, raw)
	}
	return d, nil
}

// Moment writes a time that is kept as seconds since 1970; zero is none.
func Moment(seconds int64, none string) string {
	if seconds == 0 {
		return none
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}
