// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	w := newEverything(t, asHelm, "kube\nvar ARGOCD_APP_NAME\nclock f9")
	w.show(w.app)
	w.commit("base", files{"x/c": text("2")})
	e := w.show(w.app).Explain()
	if len(e.Sources) != 2 || !e.Sources[1].RefOnly || e.Inputs == "" {
		t.Fatalf("%+v", e)
	}
	s := e.Sources[0]
	if s.Why != "x/c of base at main changed" || s.KubeVersion != "v1.36.0" || s.AsksAPIVersions || s.Variables["ARGOCD_APP_NAME"] != "web" ||
		!slices.Equal(s.Volatile, []string{"now (f9)"}) || string(s.Type) != asHelm || s.Commit.Repo.URL != "r" {
		t.Errorf("%+v", s)
	}
	var read, remotes []string
	for _, r := range s.Reads {
		kind := ""
		switch {
		case r.List:
			kind = " listed"
		case r.ID == "":
			kind = " absent"
		}
		read = append(read, r.Tree+":"+r.Path+kind)
	}
	for _, r := range s.Remotes {
		remotes = append(remotes, fmt.Sprintf("%s@%s %s", r.Commit.Repo.URL, r.Commit.ID, r.Where))
	}
	expect(t, "reads", []string{
		":app/a", ":app/absent absent", ":app/script", ":app/sub listed", "$values:prod.yaml",
		"chart nginx of charts at ^1:values.yaml", "https://files/v:file", "base at main:x/c", "base at main:x/script",
	}, read)
	expect(t, "remotes", []string{"charts@1.2.0 app/script:2", "https://files/v@f1 app/script:3", "base@base-1 app/script:1"}, remotes)
}

func TestWhyItWasRendered(t *testing.T) {
	for _, c := range []struct {
		do   func(w *everything)
		want string
	}{
		{func(w *everything) { w.commit("r", files{"app/a": text("2")}) }, "app/a changed"},
		{func(w *everything) { w.commit("v", files{"prod.yaml": text("2")}) }, "prod.yaml of $values changed"},
		{func(w *everything) { w.facts.version = "v1.37.0" }, "the cluster's version is v1.37.0, was v1.36.0"},
		{func(w *everything) { w.facts.apis = nil }, "the API versions that the cluster serves are others"},
		{func(w *everything) { w.target.Namespace = "prod" }, `$ARGOCD_APP_NAMESPACE is "prod", was "shop"`},
		{func(w *everything) { w.target.Limits.Objects = 10 }, "a limit is tighter"},
		{func(w *everything) { w.app.Spec.Sources[0].Path = "./app" }, "the source's spec, a name or a setting is another"},
		{func(w *everything) { w.engine.Afresh(id(w.app)) }, "a fresh answer was asked for"},
	} {
		w := newEverything(t, asDirectory, "kube\napis\nvar ARGOCD_APP_NAMESPACE")
		w.show(w.app)
		c.do(w)
		if got := w.show(w.app).Explain().Sources[0].Why; got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestAnExplanationShowsNoPassword(t *testing.T) {
	const password = "hunter2"
	th := newTheatre(t)
	own, base := "https://user:"+password+"@git.example.org/r", "https://user:"+password+"@git.example.org/base"
	th.sources.commit(own, "main", "r1", files{"app/script": text("var ARGOCD_APP_SOURCE_REPO_URL\ngit " + base + " main x")})
	th.sources.commit(base, "main", "b1", files{"x": text("1")})
	app := application("web", from(own, "main", "app"))
	th.show(app)
	th.sources.commit(base, "main", "b2", files{"x": text("2")})
	th.sources.commit(own, "main", "r2", files{"readme": text("2")})
	s := th.show(app).Explain().Sources[0]
	if s.Why != "x of https://git.example.org/base at main changed" {
		t.Errorf("why: %s", s.Why)
	}
	if shown := fmt.Sprint(s.Why, s.Reads, s.Variables); strings.Contains(shown, password) {
		t.Errorf("it shows %s", shown)
	}
	th.sources.set(base, func(r *fakeRepo) { r.refused = true })
	th.sources.commit(own, "main", "r3", files{"readme": text("3")})
	th.target.PermitSource = func(string) error { return errors.New("not permitted") }
	if _, err := th.ask(app); err == nil || strings.Contains(err.Error(), password) {
		t.Errorf("the error shows it: %v", err)
	}
}
