// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

func volatile(s *State) string {
	var out []string
	for _, o := range s.Objects {
		if o.Volatile != nil {
			out = append(out, fmt.Sprintf("%s%q", o.Key.Name, o.Volatile))
		}
	}
	return strings.Join(out, " ")
}

func rolling(t *testing.T, script string) (*theatre, *v1alpha1.Application) {
	th := newTheatre(t)
	th.sources.commit("r", "main", "r1", files{"app/script": text(script), "app/a": text("1")})
	return th, application("web", from("r", "main", "app"))
}

// f0 is the file of the first object, f1 that of the second.
func TestVolatileFields(t *testing.T) {
	for script, want := range map[string]string{
		"object b":                       "",
		"object b\nroll f0":              `web0["/data/dice"]`,
		"object b\nclock f0":             `web0[""]`,
		"object b\nroll f0\nclock f1":    `web0["/data/dice"] b[""]`,
		"object b\nclock _helpers":       `web0[""] b[""]`,
		"object b\nroll _helpers":        `web0["/data/dice"]`,
		"object b\nroll f0\nclock _help": `web0[""] b[""]`,
	} {
		th, app := rolling(t, script)
		state := th.show(app)
		if got := volatile(state); got != want {
			t.Errorf("%q: %s, want %s", script, got, want)
		}
	}
}

// What is random is rendered once, and stays as it is while its inputs do.
func TestVolatileIsRememberedWhileInputsAreEqual(t *testing.T) {
	th, app := rolling(t, "read a\nroll f0")
	first := th.show(app)
	th.sources.commit("r", "main", "r2", files{"readme": text("1")})
	if state := th.expectRenders("another commit", 0, app); state.Digest != first.Digest {
		t.Error("it is another one")
	}
	th.begin()
	if state := th.expectRenders("after a restart", 0, app); state.Digest != first.Digest || state.Made() != first.Made() || volatile(state) == "" {
		t.Errorf("it is another one, or forgets what is volatile: %s", volatile(state))
	}
}

func TestVolatileMakesNoDifferenceByItself(t *testing.T) {
	th, app := rolling(t, "read a\nroll f0\nobject b\nobject c\nclock f2")
	applied := th.show(app).Made()
	if got := th.show(app).Unproven(applied); len(got) != 0 {
		t.Errorf("what was applied is what is desired, and yet: %v", got)
	}
	clear(th.cache.records) // lost
	th.begin()
	again := th.show(app)
	if again.Made() == applied {
		t.Fatal("the dice fell the same way")
	}
	got := again.Unproven(applied)
	if len(got) != 1 || !cmp.Equal(got[again.Objects[0].Key], []string{"/data/dice"}) {
		t.Errorf("after the cache was lost: %v", got)
	}
	if got := again.Unproven(""); len(got) != 0 {
		t.Errorf("nothing was applied: %v", got)
	}
	th.engine.Afresh(id(app))
	if got := th.show(app).Unproven(applied); len(got) != 1 {
		t.Errorf("after a hard refresh: %v", got)
	}
	th.sources.commit("r", "main", "r2", files{"app/a": text("2")})
	if got := th.show(app).Unproven(applied); len(got) != 0 {
		t.Errorf("with another input a new value is what was asked for: %v", got)
	}
}

// Of what is volatile as a whole every field keeps its value, but for those that say which object it is.
func TestVolatileAsAWhole(t *testing.T) {
	th, app := rolling(t, "roll _helpers\nclock f0\nobject b")
	applied := th.show(app).Made()
	th.engine.Afresh(id(app))
	th.play.now = "midnight"
	state := th.show(app)
	got := state.Unproven(applied)
	if len(got) != 1 || !cmp.Equal(got[state.Objects[0].Key], []string{"/data/clock", "/data/dice", "/data/seen"}) {
		t.Errorf("unproven: %v", got)
	}
	var all []string
	leaves(map[string]any{"a": map[string]any{}, "b": []any{}, "c": []any{map[string]any{"x/y": nil}, 1}}, "", &all)
	expect(t, "leaves", []string{"/a", "/b", "/c/0/x~1y", "/c/1"}, all)
}

func TestPointers(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{`{"a":1}`, `{"a":1}`, ""},
		{`{"a":1,"b":{"c":2}}`, `{"a":2,"b":{"c":3}}`, "/a /b/c"},
		{`{"a":1}`, `{"b":1}`, "/a /b"},
		{`{"a":{"x":1}}`, `{"a":[1]}`, "/a"},
		{`{"l":[1,{"x":1}]}`, `{"l":[1,{"x":2}]}`, "/l/1/x"},
		{`{"l":[1]}`, `{"l":[1,2]}`, "/l"},
		{`{"a/b":{"c~d":1}}`, `{"a/b":{"c~d":2}}`, "/a~1b/c~0d"},
		{`{"a":null}`, `{}`, "/a"},
	} {
		if got := strings.Join(pointers([]byte(c.a), []byte(c.b)), " "); got != c.want {
			t.Errorf("%s and %s: %s, want %s", c.a, c.b, got, c.want)
		}
	}
	if got := pointers([]byte("{"), []byte("{}")); len(got) != 1 || got[0] != whole {
		t.Errorf("what cannot be read: %q", got)
	}
}
