// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// scenario is one application: what its folder in Git holds, commit by commit, and how it is synced.
type scenario struct {
	name     string
	retries  int      // spec.syncPolicy.retry.limit
	selfHeal bool     // spec.syncPolicy.automated.selfHeal
	options  []string // spec.syncPolicy.syncOptions
	commits  []commit
}

// commit is what the folder holds from one commit on.
type commit struct {
	things []thing
	after  int // how many events of the application pass before it is made
	// since is the revision of the cluster's store before it was made: nothing of it can be older.
	since uint64
}

// How an object ends, or whether it gets healthy.
const (
	well    = "well"
	badly   = "badly"   // a hook that fails
	never   = "never"   // a Deployment that is never ready
	stuck   = "stuck"   // a Deployment that is Degraded after a second
	missing = "missing" // of a kind that no cluster serves
)

// thing is one object of a commit.
type thing struct {
	kind, name string
	wave       int
	hooks      []string // empty for an object that is no hook
	policies   []string // none stands for BeforeHookCreation
	helm       bool     // its annotations are those of Helm
	generated  bool     // it has a generateName
	ttl        bool     // the cluster deletes it a second after its end
	pruneLast  bool
	end        string
	delay      int // milliseconds until it is ready or ends
	version    int // the commit that changed it last
}

const (
	preSync  = "PreSync"
	inSync   = "Sync"
	postSync = "PostSync"
	syncFail = "SyncFail"
	skipped  = "Skip"

	succeeded = "HookSucceeded"
	failed    = "HookFailed"
	before    = "BeforeHookCreation"
)

func (t *thing) hook() bool { return len(t.hooks) > 0 }

func (t *thing) has(policy string) bool {
	return slices.Contains(t.policies, policy) || policy == before && len(t.policies) == 0
}

// runs reports whether the object ends by itself.
func (t *thing) runs() bool { return t.kind == "Job" || t.kind == "Pod" }

func (t *thing) String() string {
	text := fmt.Sprintf("%s/%s wave %d", t.kind, t.name, t.wave)
	for _, about := range []struct {
		said bool
		text string
	}{
		{t.hook(), fmt.Sprint("hook ", t.hooks, t.policies)}, {t.helm, "of Helm"}, {t.generated, "generated"}, {t.ttl, "ttl"},
		{t.pruneLast, "PruneLast"}, {t.end != well, t.end}, {t.delay > 0, fmt.Sprint(t.delay, "ms")},
	} {
		if about.said {
			text += ", " + about.text
		}
	}
	return text + fmt.Sprintf(" (version %d)", t.version)
}

// find returns what the commit has under a name.
func (c *commit) find(kind, name string) *thing {
	for i := range c.things {
		if c.things[i].kind == kind && c.things[i].name == name {
			return &c.things[i]
		}
	}
	return nil
}

// refused reports whether the commit holds something for which the whole set is refused before anything is applied.
func (c *commit) refused() bool {
	return slices.ContainsFunc(c.things, func(t thing) bool { return t.end == missing })
}

// maker makes scenarios out of chance.
type maker struct{ *rand.Rand }

func (m maker) oneIn(n int) bool { return m.IntN(n) == 0 }

func pick[T any](m maker, of ...T) T { return of[m.IntN(len(of))] }

// scenario makes an application with two to four commits, so that none runs to its end because so many took it over, the last of
// which can be carried out. If hanging, there may be what never gets healthy in the others.
func (m maker) scenario(name string, hanging bool) scenario {
	s := scenario{name: name, retries: m.IntN(3), selfHeal: m.oneIn(2)}
	if m.oneIn(8) {
		s.options = append(s.options, "PruneLast=true")
	}
	if m.oneIn(6) {
		s.options = append(s.options, "ApplyOutOfSyncOnly=true")
	}
	hooks := !m.oneIn(5)
	count := 2 + m.IntN(3)
	for i := range count {
		var last commit
		if i > 0 {
			last = s.commits[i-1]
		}
		next := commit{things: m.next(last.things, i, hooks), after: m.IntN(25)}
		if i == count-1 {
			mend(next.things, i)
		}
		if !hanging {
			unhang(next.things)
		}
		s.commits = append(s.commits, next)
	}
	return s
}

// next makes the objects of a commit out of those of the one before.
func (m maker) next(last []thing, version int, hooks bool) []thing {
	var things []thing
	for _, t := range last {
		switch {
		case t.name == "stamp", t.hook() && !m.oneIn(4), !t.hook() && t.end == well && m.oneIn(3):
			things = append(things, m.again(t, version))
		case !t.hook() && m.oneIn(2):
			things = append(things, t)
		}
	}
	if version == 0 {
		things = append(things, thing{kind: "ConfigMap", name: "stamp", end: well, wave: m.wave()})
	}
	more := m.IntN(3)
	if version == 0 {
		more += 2
	}
	for range more {
		things = m.add(things, m.plain(version))
	}
	for range m.IntN(4) {
		if hooks {
			things = m.add(things, m.hook(version))
		}
	}
	return things
}

// add adds a thing if its name is free.
func (m maker) add(things []thing, t thing) []thing {
	if slices.ContainsFunc(things, func(other thing) bool { return other.name == t.name }) {
		return things
	}
	return append(things, t)
}

func (m maker) wave() int { return pick(m, 0, 0, 0, -1, 1, 2, 5) }

// plain makes an object that is no hook. Names come again, so that what went may come back.
func (m maker) plain(version int) thing {
	t := thing{kind: pick(m, "ConfigMap", "ConfigMap", "ConfigMap", "ServiceAccount", "Service", "Deployment"), wave: m.wave(), end: well, version: version}
	t.name = fmt.Sprintf("%s-%d", map[string]string{"ConfigMap": "map", "ServiceAccount": "account", "Service": "service", "Deployment": "web"}[t.kind], m.IntN(4))
	t.pruneLast = m.oneIn(8)
	if t.kind == "Deployment" {
		t.delay, t.end = pick(m, 0, 0, 300), pick(m, well, well, well, never, stuck)
	}
	if m.oneIn(25) {
		return thing{kind: "Nothing", name: "nothing", wave: m.wave(), end: missing, version: version}
	}
	return t
}

// hook makes a hook.
func (m maker) hook(version int) thing {
	t := thing{kind: pick(m, "Job", "Job", "Job", "Pod", "ConfigMap"), version: version}
	t.name = "hook-" + pick(m, "a", "b", "c", "d")
	t.hooks = pick(m, []string{preSync}, []string{preSync}, []string{inSync}, []string{postSync}, []string{postSync}, []string{syncFail},
		[]string{preSync, postSync}, []string{postSync, syncFail}, []string{skipped})
	t.policies = pick(m, nil, nil, []string{before}, []string{succeeded}, []string{failed}, []string{succeeded, failed}, []string{before, succeeded})
	t.generated = m.oneIn(5)
	t.helm = !t.generated && m.oneIn(5) && (t.hooks[0] == preSync || t.hooks[0] == postSync) && !slices.Contains(t.hooks, syncFail)
	t.ttl = t.kind == "Job" && m.oneIn(4)
	return m.again(t, version)
}

// again changes a thing.
func (m maker) again(t thing, version int) thing {
	t.version = version
	if m.oneIn(3) {
		t.wave = m.wave()
	}
	if t.hook() {
		t.end = well
		if t.runs() {
			t.delay = pick(m, 0, 0, 200, 700)
			t.end = pick(m, well, well, well, well, badly)
		}
	}
	return t
}

// mend makes everything of a commit end well.
func mend(things []thing, version int) {
	for i := range things {
		if t := &things[i]; t.end == missing {
			*t = thing{kind: "ConfigMap", name: "something", end: well, version: version, wave: t.wave}
		} else if t.end != well {
			t.end, t.version = well, version
		}
	}
}

// unhang leaves out what would keep a wave waiting without end.
func unhang(things []thing) {
	for i := range things {
		if things[i].end == never {
			things[i].end = well
		}
	}
}
