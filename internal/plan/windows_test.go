// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// clock returns a moment of Sunday, the 1st of March 2026, or of the days after, in UTC.
func clock(t *testing.T, text string) time.Time {
	t.Helper()
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "15:04"} {
		if moment, err := time.Parse(layout, text); err == nil {
			if layout == "15:04" {
				return moment.AddDate(2026, 2, 0)
			}
			return moment
		}
	}
	t.Fatalf("%q is no time", text)
	return time.Time{}
}

func deny(schedule, duration string, change ...func(*v1alpha1.SyncWindow)) *v1alpha1.SyncWindow {
	w := &v1alpha1.SyncWindow{Kind: "deny", Schedule: schedule, Duration: duration, Applications: []string{"*"}}
	for _, f := range change {
		f(w)
	}
	return w
}

func allow(schedule, duration string, change ...func(*v1alpha1.SyncWindow)) *v1alpha1.SyncWindow {
	w := deny(schedule, duration, change...)
	w.Kind = "allow"
	return w
}

func manual(w *v1alpha1.SyncWindow)  { w.ManualSync = true }
func overrun(w *v1alpha1.SyncWindow) { w.SyncOverrun = true }

func in(zone string) func(*v1alpha1.SyncWindow) {
	return func(w *v1alpha1.SyncWindow) { w.TimeZone = zone }
}

func TestWindowsAsk(t *testing.T) {
	type windows = v1alpha1.SyncWindows
	morning, noon := deny("0 8 * * *", "2h"), deny("0 12 * * *", "1h", manual)
	tests := []struct {
		reason  string
		windows windows
		now     string
		started string // "": it is yet to begin
		auto    bool   // may begin, or go on, by itself
		hand    bool   // by a person
	}{
		{"no windows", nil, "09:00", "", true, true},
		{"before a deny", windows{morning}, "07:59", "", true, true},
		{"a deny begins at its start", windows{morning}, "08:00", "", false, false},
		{"a deny", windows{morning}, "09:59", "", false, false},
		{"a deny ends at its end", windows{morning}, "10:00", "", true, true},
		{"a deny that lets people pass", windows{noon}, "12:30", "", false, true},
		{"every deny has to let them pass", windows{noon, deny("0 12 * * *", "1h")}, "12:30", "", false, false},
		{"a deny that is not active keeps nobody", windows{noon, morning}, "12:30", "", false, true},
		{"an allow", windows{allow("0 8 * * *", "2h")}, "08:30", "", true, true},
		{"an allow that is not active closes", windows{allow("0 8 * * *", "2h")}, "10:30", "", false, false},
		{"an allow that is not active and lets people pass", windows{allow("0 8 * * *", "2h", manual)}, "10:30", "", false, true},
		{"every allow has to let them pass", windows{allow("0 8 * * *", "2h", manual), allow("0 9 * * *", "1h")}, "10:30", "", false, false},
		{"one active allow is enough", windows{allow("0 8 * * *", "2h"), allow("0 12 * * *", "1h")}, "12:30", "", true, true},
		{"a deny beats an allow", windows{allow("* * * * *", "1h"), morning}, "08:30", "", false, false},
		{"where only denies are, their absence opens", windows{morning}, "11:00", "", true, true},
		{"a deny of people's grace beats an active allow for the rest", windows{allow("* * * * *", "1h"), noon}, "12:30", "", false, true},

		{"what began in time is stopped without overrun", windows{morning}, "08:30", "07:59", false, false},
		{"what began in time overruns", windows{deny("0 8 * * *", "2h", overrun)}, "08:30", "07:59", true, true},
		{"what began too late does not", windows{deny("0 8 * * *", "2h", overrun)}, "08:30", "08:10", false, false},
		{"each deny has to permit it", windows{deny("0 8 * * *", "2h", overrun), morning}, "08:30", "07:59", false, false},
		{"a deny that is not active has no say", windows{deny("0 8 * * *", "2h", overrun), noon}, "08:30", "07:59", true, true},
		{"beyond the end of an allow", windows{allow("0 8 * * *", "1h", overrun)}, "09:30", "08:59", true, true},
		{"each allow has to permit it", windows{allow("0 8 * * *", "1h", overrun), allow("0 5 * * *", "1h")}, "09:30", "08:59", false, false},
		{"a beginning in the future is nobody's", windows{deny("0 8 * * *", "2h", overrun)}, "08:30", "2026-03-01 11:00", false, false},
		{"what a person began in a deny that lets them pass", windows{deny("0 8 * * *", "2h", manual, overrun), deny("0 9 * * *", "1h", overrun)}, "09:30", "08:30", false, true},

		{"a window over midnight", windows{deny("0 22 * * *", "8h")}, "03:00", "", false, false},
		{"a window of days", windows{deny("0 18 * * 5", "60h")}, "2026-03-08 12:00", "", false, false}, // Friday evening to Monday morning
		{"its end", windows{deny("0 18 * * 5", "60h")}, "2026-03-09 06:00", "", true, true},
		{"a window that begins again before it ends", windows{deny("*/10 * * * *", "15m")}, "12:07", "", false, false},
		{"a day of the month or of the week", windows{deny("0 0 13 * 5", "24h")}, "2026-03-06 12:00", "", false, false},

		{"a time zone east of here", windows{deny("0 8 * * *", "1h", in("Asia/Tokyo"))}, "2026-03-01 23:30", "", false, false},
		{"and not at the hour here", windows{deny("0 8 * * *", "1h", in("Asia/Tokyo"))}, "08:30", "", true, true},
		{"a time zone of half an hour", windows{deny("0 8 * * *", "1h", in("Asia/Kolkata"))}, "02:35", "", false, false},
		{"a time zone that nobody knows is UTC", windows{deny("0 8 * * *", "1h", in("Mars/Olympus"))}, "08:30", "", false, false},
		{"winter time", windows{deny("0 8 * * *", "1h", in("Europe/Berlin"))}, "2026-03-28 07:30", "", false, false},
		{"summer time", windows{deny("0 8 * * *", "1h", in("Europe/Berlin"))}, "2026-03-30 06:30", "", false, false},
		{"a window over the change is read in the offset of the moment", windows{deny("0 20 * * *", "10h", in("Europe/Berlin"))}, "2026-03-29 04:30", "", true, true},

		{"a schedule that cannot be read closes", windows{deny("every day", "1h")}, "12:00", "", false, false},
		{"for people too", windows{deny("every day", "1h", manual), allow("* * * * *", "1h")}, "12:00", "", false, false},
		{"and there is no overrun", windows{deny("0 8 * *", "1h", overrun)}, "12:00", "07:00", false, false},
		{"a kind that nobody knows", windows{deny("0 8 * * *", "1h", func(w *v1alpha1.SyncWindow) { w.Kind = "Deny" })}, "12:00", "", false, false},
		{"a day that never comes", windows{deny("0 0 31 2 *", "1h")}, "12:00", "", false, false},
		{"seconds are no field", windows{deny("0 0 8 * * *", "1h")}, "12:00", "", false, false},
		{"names of schedules are none", windows{deny("@daily", "1h")}, "12:00", "", false, false},
		{"a zone in the schedule", windows{deny("TZ=UTC", "1h")}, "12:00", "", false, false},
		{"no duration", windows{deny("0 8 * * *", "")}, "12:00", "", false, false},
		{"a duration of nothing", windows{deny("0 8 * * *", "-1h")}, "12:00", "", false, false},
	}
	for _, tt := range tests {
		w := CompileWindows(tt.windows).Of("web", v1alpha1.ApplicationDestination{})
		moment := Moment{Now: clock(t, tt.now)}
		if tt.started != "" {
			moment.Started = clock(t, tt.started)
		}
		for manual, want := range map[bool]bool{false: tt.auto, true: tt.hand} {
			moment.Manual = manual
			got := w.Ask(moment)
			if got.Open != want || (got.Reason == "") != want {
				t.Errorf("%s (by hand: %t): got %+v, want open %t", tt.reason, manual, got, want)
			}
			if got.Overrun != (want && tt.started != "" && !w.Ask(Moment{Now: moment.Now, Manual: manual}).Open) {
				t.Errorf("%s (by hand: %t): overrun is %t", tt.reason, manual, got.Overrun)
			}
		}
	}
}

func TestWindowsOf(t *testing.T) {
	dest := v1alpha1.ApplicationDestination{Server: "https://far.example/x", Namespace: "shop"}
	named := v1alpha1.ApplicationDestination{Name: "far", Namespace: "shop"}
	about := func(apps, namespaces, clusters string, and bool) *v1alpha1.SyncWindow {
		list := strings.Fields
		return &v1alpha1.SyncWindow{Kind: "deny", Schedule: "* * * * *", Duration: "1h", UseAndOperator: and,
			Applications: list(apps), Namespaces: list(namespaces), Clusters: list(clusters)}
	}
	tests := []struct {
		reason string
		window *v1alpha1.SyncWindow
		to     v1alpha1.ApplicationDestination
		want   bool
	}{
		{"by application", about("we*", "", "", false), dest, true},
		{"by another application", about("api", "", "", false), dest, false},
		{"by namespace", about("api", "shop", "", false), dest, true},
		{"by the cluster's URL, whose slashes a star passes", about("", "", "https://far*", false), dest, true},
		{"by its name", about("", "", "far", false), named, true},
		{"the URL is not looked up for a name", about("", "", "https://far*", false), named, false},
		{"nor the name for a URL", about("", "", "far", false), dest, false},
		{"each list that is set", about("web", "shop", "", true), dest, true},
		{"each, and one does not", about("web", "other", "", true), dest, false},
		{"lists that are empty do not count", about("", "shop", "", true), dest, true},
		{"no list is about nothing", about("", "", "", false), dest, false},
		{"neither with the operator", about("", "", "", true), dest, false},
		{"an exclamation mark is no denial", about("!api", "", "", false), dest, false},
		{"a pattern that cannot be read is about all", about("[api", "", "", false), dest, true},
		{"a star alone matches no namespace that is not there", about("", "*", "", false), v1alpha1.ApplicationDestination{}, false},
	}
	for _, tt := range tests {
		if got := CompileWindows(v1alpha1.SyncWindows{tt.window}).Of("web", tt.to); (len(got.list) == 0) == tt.want {
			t.Errorf("%s: got about it %t, want %t", tt.reason, len(got.list) > 0, tt.want)
		}
	}
}

func TestWindowsSay(t *testing.T) {
	tests := []struct {
		reason  string
		windows v1alpha1.SyncWindows
		now     string
		want    string
		next    string
	}{
		{"a deny", v1alpha1.SyncWindows{deny("0 8 * * *", "10h", func(w *v1alpha1.SyncWindow) { w.Description = "office\nhours" })}, "12:00",
			`the deny window "0 8 * * *" for 10h in UTC (office hours) is open until 2026-03-01 18:00 UTC`, "18:00"},
		{"the one that lasts longest", v1alpha1.SyncWindows{deny("0 8 * * *", "5h"), deny("0 9 * * *", "9h")}, "12:00",
			`the deny window "0 9 * * *" for 9h in UTC is open until 2026-03-01 18:00 UTC (and 1 more)`, "13:00"},
		{"an allow to come, in the clock of its zone", v1alpha1.SyncWindows{allow("0 22 * * *", "1h", in("Europe/Berlin")), allow("0 23 * * *", "1h", in("Europe/Berlin"))}, "12:00",
			`no allow window is open; the next, "0 22 * * *" for 1h in Europe/Berlin, opens at 2026-03-01 22:00 Europe/Berlin (and 1 more)`, "21:00"},
		{"starts that follow each other are one window", v1alpha1.SyncWindows{deny("0 8-12 * * *", "1h")}, "08:30",
			`the deny window "0 8-12 * * *" for 1h in UTC is open until 2026-03-01 13:00 UTC`, "13:00"},
		{"a window without end", v1alpha1.SyncWindows{deny("* * * * *", "1h")}, "12:00",
			`the deny window "* * * * *" for 1h in UTC is open`, "2026-03-02 04:00"},
		{"one that cannot be read", v1alpha1.SyncWindows{allow("* * * * *", "1h"), deny("x", "1h")}, "12:00",
			`window 1 of the project cannot be read: schedule "x" is not a cron expression of five fields`, "2026-03-02 04:00"},
	}
	for _, tt := range tests {
		got := CompileWindows(tt.windows).Ask(Moment{Now: clock(t, tt.now)})
		if !strings.HasPrefix(got.Reason, tt.want) || got.Next != clock(t, tt.next) {
			t.Errorf("%s: got %q, next %s; want %q, next %s", tt.reason, got.Reason, got.Next, tt.want, tt.next)
		}
	}
}

func TestWindowProblems(t *testing.T) {
	long := func(w *v1alpha1.SyncWindow) { w.Description = strings.Repeat("x", 256) }
	got := CompileWindows(v1alpha1.SyncWindows{
		deny("0 8 * * *", "1h"), deny("0 8", "1x"), deny("0 9 * * *", "1h", long, in("Mars/Olympus")), deny("0 8 * * *", "1h"), nil,
		deny("0 8 * * *", "1h", func(w *v1alpha1.SyncWindow) { w.Applications = nil }),
	}).Problems("team")
	want := []string{
		"expected exactly 5 fields, found 2: [0 8]; duration \"1x\" is not a duration", "spec.syncWindows[2]: time zone \"Mars/Olympus\" is not known",
		"spec.syncWindows[2]: description is longer than 255", "spec.syncWindows[3]: it is the same as spec.syncWindows[0]",
		"spec.syncWindows[5]: it is about nothing",
	}
	if len(got) != len(want) {
		t.Fatalf("got %d problems %v, want %d", len(got), got, len(want))
	}
	for i, err := range got {
		if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), want[i]) {
			t.Errorf("got %v, want one that says %q", err, want[i])
		}
	}
}

// TestWindowsStayUntilNext asks at moments before the time that an answer names: none may be another.
func TestWindowsStayUntilNext(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test needs chance, not secrecy
	for range 300 {
		windows, now := randomWindows(r), time.Date(2025, 1, 1, 0, 0, r.IntN(3*365*86400), r.IntN(2)*500_000_000, time.UTC)
		w := CompileWindows(windows)
		moment := Moment{Now: now, Manual: r.IntN(2) == 0}
		first := w.Ask(moment)
		if first.Next.IsZero() && (len(w.list) == 0 || len(w.Problems("team")) > 0) {
			continue // nothing that could change: a day such as the 31st of February
		}
		if !first.Next.After(now) {
			t.Fatalf("%s at %s: next is %s", describe(windows), now, first.Next)
		}
		for range 20 {
			moment.Now = now.Add(time.Duration(r.Int64N(int64(min(first.Next.Sub(now), 400*24*time.Hour)))))
			if got := w.Ask(moment); got.Open != first.Open {
				t.Fatalf("%s: at %s open is %t, and until %s nothing was to change, but at %s it is %t",
					describe(windows), now, first.Open, first.Next, moment.Now, got.Open)
			}
		}
	}
}

func randomWindows(r *rand.Rand) v1alpha1.SyncWindows {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	var out v1alpha1.SyncWindows
	for range r.IntN(4) {
		w := deny(strings.Join([]string{pick("0", "*", "*/7", "30", "5,50"), pick("*", "0", "8", "22", "*/6", "1-3"), pick("*", "1", "29", "31"), pick("*", "2", "3,10"), pick("*", "1-5", "0")}, " "),
			pick("1m", "90s", "1h", "10h", "24h", "36h", "1000h"), in(pick("", "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "nowhere")))
		w.Kind, w.ManualSync, w.SyncOverrun = pick("allow", "deny"), r.IntN(2) == 0, r.IntN(2) == 0
		out = append(out, w)
	}
	return out
}

func describe(windows v1alpha1.SyncWindows) string {
	var out []string
	for _, w := range windows {
		out = append(out, fmt.Sprintf("%s %q %s %s", w.Kind, w.Schedule, w.Duration, w.TimeZone))
	}
	return strings.Join(out, "; ")
}

func BenchmarkWindowsAsk(b *testing.B) {
	w := CompileWindows(v1alpha1.SyncWindows{
		deny("0 8 * * 1-5", "10h", in("Europe/Berlin")), allow("0 22 * * *", "2h"), deny("* * * * *", "1h", manual), deny("0 0 29 2 *", "24h"),
	}).Of("web", v1alpha1.ApplicationDestination{})
	moment := Moment{Now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	for b.Loop() {
		w.Ask(moment)
	}
}
