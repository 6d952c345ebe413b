// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"testing"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// FuzzWindows checks that whatever a project says of windows is answered, that what cannot be read is closed, and that an
// answer holds until the time that it names.
func FuzzWindows(f *testing.F) {
	f.Add("deny", "0 8 * * 1-5", "10h", "Europe/Berlin", "web*", int64(1772366400))
	f.Add("allow", "*/5 22-23 29 2 *", "100h", "", "*", int64(0))
	f.Add("deny", "TZ=UTC", "1ns", "Local", "[", int64(-1))
	f.Add("allow", "1-59/9999999999999999999 * * * *", "2540400h10m10s", "../etc", "{a,b}", int64(253402300800))
	f.Fuzz(func(t *testing.T, kind, schedule, duration, zone, pattern string, now int64) {
		w := CompileWindows(v1alpha1.SyncWindows{{Kind: kind, Schedule: schedule, Duration: duration, TimeZone: zone, Applications: []string{pattern}}})
		wrong := len(w.Problems("p")) > 0
		w = w.Of("web", v1alpha1.ApplicationDestination{})
		moment := Moment{Now: time.Unix(now%(1<<34), 0)}
		got := w.Ask(moment)
		if len(w.list) == 0 && !got.Open || got.Open != (got.Reason == "") {
			t.Errorf("%+v", got)
		}
		if got.Next.IsZero() {
			if !wrong && len(w.list) > 0 {
				t.Errorf("a sound window never changes: %+v", got)
			}
			return
		}
		if !got.Next.After(moment.Now) {
			t.Fatalf("next is %s at %s", got.Next, moment.Now)
		}
		moment.Now = got.Next.Add(-time.Nanosecond)
		if later := w.Ask(moment); later.Open != got.Open {
			t.Errorf("open is %t, and just before %s it is %t", got.Open, got.Next, later.Open)
		}
	})
}
