// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/render"
)

// everything is an application that is made of everything that a render can be made of, and a world in which all of it
// can change.
type everything struct {
	*theatre
	app *v1alpha1.Application
	n   int // of commits
}

const everythingScript = `type %s
read a
read absent
list sub
ref values prod.yaml
git base main x/script
chart charts nginx ^1 values.yaml
file https://files/v
%s`

func newEverything(t *testing.T, tool, more string) *everything {
	th := newTheatre(t)
	w := &everything{theatre: th}
	th.sources.commit("r", "main", "r1", files{
		"app/script": text(fmt.Sprintf(everythingScript, tool, more)), "app/a": text("1"), "app/sub/b": text("1"), "app/other": text("1"), "shared/s": text("1"),
	})
	th.sources.commit("v", "main", "v1", files{"prod.yaml": text("a: 1"), "dev.yaml": text("a: 1")})
	th.sources.commit("base", "main", "b1", files{"x/script": text("read c"), "x/c": text("1"), "x/d": text("1")})
	th.sources.commit("charts#nginx", "^1", "1.2.0", files{"values.yaml": text("n: 1"), "Chart.yaml": text("1")})
	th.sources.commit("https://files/v", "main", "f1", files{"file": text("v: 1")})
	values := from("v", "main", "")
	values.Ref = "values"
	w.app = application("web", from("r", "main", "app"), values)
	return w
}

func (w *everything) commit(url string, change files) {
	w.n++
	branch := "main"
	if strings.Contains(url, "#") {
		branch = "^1"
	}
	w.sources.commit(url, branch, fmt.Sprintf("%s-%d", url, w.n), change)
	w.commitOwn() // remotes are resolved anew with every commit
}

func (w *everything) commitOwn() {
	w.n++
	w.sources.commit("r", "main", fmt.Sprintf("r-%d", w.n), files{"unrelated": text(fmt.Sprint(w.n))})
}

func (w *everything) source(change func(*v1alpha1.ApplicationSource)) { change(&w.app.Spec.Sources[0]) }

// change is something that may happen, and whether a render of Everything notices. tool and more narrow down for which.
type change struct {
	name    string
	tool    string // Directory if empty
	more    string // lines of script
	do      func(w *everything)
	renders bool
}

const (
	asDirectory = string(v1alpha1.ApplicationSourceTypeDirectory)
	asHelm      = string(v1alpha1.ApplicationSourceTypeHelm)
	asKustomize = string(v1alpha1.ApplicationSourceTypeKustomize)
	asPlugin    = string(v1alpha1.ApplicationSourceTypePlugin)
)

func changes() []change {
	own := func(change files) func(*everything) { return func(w *everything) { w.commit("r", change) } }
	at := func(url string, change files) func(*everything) {
		return func(w *everything) { w.commit(url, change) }
	}
	list := []change{
		{"nothing", "", "", func(*everything) {}, false},
		{"the commit alone", "", "", func(w *everything) { w.commitOwn() }, false},

		{"a file that is read", "", "", own(files{"app/a": text("2")}), true},
		{"a file that is not read", "", "", own(files{"app/other": text("2")}), false},
		{"a file of the same name elsewhere", "", "", own(files{"a": text("2"), "prod.yaml": text("2"), "x/c": text("2")}), false},
		{"a file that was absent", "", "", own(files{"app/absent": text("1")}), true},
		{"a name in a folder that is listed", "", "", own(files{"app/sub/new": text("1")}), true},
		{"content in a folder that is listed", "", "", own(files{"app/sub/b": text("2")}), true},
		{"a file that became a link", "", "", own(files{"app/a": link("../shared/s")}), true},

		{"a file of a ref", "", "", at("v", files{"prod.yaml": text("a: 2")}), true},
		{"another file of a ref", "", "", at("v", files{"dev.yaml": text("a: 2"), "app/a": text("2")}), false},
		{"a file of a remote base", "", "", at("base", files{"x/c": text("2")}), true},
		{"another file of a remote base", "", "", at("base", files{"x/d": text("2")}), false},
		{"a remote base needs more", "", "", at("base", files{"x/script": text("read c\nread d")}), true},
		{"a chart", "", "", at("charts#nginx", files{"values.yaml": text("n: 2")}), true},
		{"a file of a chart that is not read", "", "", at("charts#nginx", files{"Chart.yaml": text("2")}), false},
		{"a file from elsewhere", "", "", at("https://files/v", files{"file": text("v: 2")}), true},

		{"the path", "", "", func(w *everything) {
			w.commit("r", files{"app2/script": text("read a")})
			w.source(func(s *v1alpha1.ApplicationSource) { s.Path = "app2" })
		}, true},
		{"a field of the tool", "", "", func(w *everything) {
			w.source(func(s *v1alpha1.ApplicationSource) { s.Directory = &v1alpha1.ApplicationSourceDirectory{Recurse: true} })
		}, true},
		{"the order of a list", "", "", func(w *everything) {
			w.source(func(s *v1alpha1.ApplicationSource) {
				s.Helm = &v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"b", "a"}}
			})
		}, true},
		{"the instance's name", "", "", func(w *everything) { w.target.Instance = "argocd_web" }, true},

		{"an operation's annotation", "", "", func(w *everything) { w.app.Annotations = map[string]string{"x": "y"} }, false},
		{"the sync policy", "", "", func(w *everything) { w.app.Spec.SyncPolicy = &v1alpha1.SyncPolicy{} }, false},
		{"the destination's namespace, unused", "", "", func(w *everything) { w.target.Namespace, w.target.Version = "prod", "2" }, false},
		{"the application's name, unused", "", "", func(w *everything) { w.target.Release = "other" }, false},
		{"the cluster's version, unused", "", "", func(w *everything) { w.facts.version = "v1.37.0" }, false},
		{"what the cluster serves, unused", "", "", func(w *everything) { w.facts.apis = []string{"v1", "x/v1"} }, false},
		{"the cluster, unused", "", "", func(w *everything) { w.target.Server, w.target.Version = "https://two", "2" }, false},
		{"the project's rules", "", "", func(w *everything) { w.target.Version = "2" }, false},
		{"the tracking method", "", "", func(w *everything) { w.target.Tracker.Method, w.target.Version = "label", "2" }, false},
		{"the credentials", "", "", func(w *everything) { w.target.Version = "creds" }, false},

		{"a limit that is raised", "", "", func(w *everything) { w.target.Limits.Objects = 1 << 30 }, false},
		{"a limit that is lowered", "", "", func(w *everything) { w.target.Limits.Files = 7 }, true},
		{"the time that is allowed", "", "", func(w *everything) { w.target.Limits.Time, w.target.Limits.Memory = 1, 1 }, false},
		{"a tool that is turned off", "", "", func(w *everything) { w.target.Options.HelmOff = true }, true},
	}
	for _, name := range []string{"ARGOCD_APP_REVISION", "ARGOCD_APP_REVISION_SHORT", "ARGOCD_APP_REVISION_SHORT_8"} {
		list = append(list,
			change{"the commit, used as " + name, "", "var " + name, func(w *everything) { w.sources.commit("r", "main", "another", nil) }, true},
			change{"another source's commit, with " + name, "", "var " + name, func(w *everything) { w.sources.commit("v", "main", "another", nil) }, false})
	}
	for name, do := range map[string]func(*everything){
		"ARGOCD_APP_NAMESPACE":    func(w *everything) { w.target.Namespace, w.target.Version = "prod", "2" },
		"ARGOCD_APP_PROJECT_NAME": func(w *everything) { w.app.Spec.Project = "team" },
	} {
		list = append(list, change{name + ", used", "", "var " + name, do, true}, change{name + ", unused", "", "var ARGOCD_APP_SOURCE_PATH", do, false})
	}
	for _, c := range []struct {
		name, more string
		do         func(*everything)
	}{
		{"the cluster's version, used", "kube", func(w *everything) { w.facts.version = "v1.37.0" }},
		{"what the cluster serves, used", "apis", func(w *everything) { w.facts.apis = []string{"v1", "x/v1"} }},
		{"the cluster's version as a variable", "var KUBE_VERSION", func(w *everything) { w.facts.version = "v1.37.0" }},
		{"what it serves as a variable", "var KUBE_API_VERSIONS", func(w *everything) { w.facts.apis = []string{"v1", "x/v1"} }},
	} {
		list = append(list, change{c.name, "", c.more, c.do, true})
	}
	list = append(list,
		change{"the cluster's version, of which only the list is used", "", "apis", func(w *everything) { w.facts.version = "v1.37.0" }, false},
		change{"another cluster that serves the same", "", "apis\nkube", func(w *everything) { w.target.Server = "https://two" }, false},
		change{"a cluster that is out of reach", "", "apis\nkube", func(w *everything) { w.facts.err = errors.New("no route") }, false},
		change{"the same list once more", "", "apis", func(w *everything) { w.facts.apis = append([]string{}, w.facts.apis...) }, false},
	)
	setting := func(name string, sees []string, do func(o *render.Options)) {
		for _, tool := range []string{asDirectory, asHelm, asKustomize, asPlugin} {
			seen := strings.Contains(strings.Join(sees, " "), tool)
			list = append(list, change{name + " for " + tool, tool, "", func(w *everything) { do(&w.target.Options) }, seen})
		}
	}
	setting("kustomize.buildOptions", []string{asKustomize, asPlugin}, func(o *render.Options) { o.KustomizeBuildOptions = "--enable-helm" })
	setting("kustomize.buildOptions.v1", []string{asKustomize, asPlugin}, func(o *render.Options) { o.KustomizeVersions = map[string]string{"v1": "x"} })
	setting("helm.valuesFileSchemes", []string{asHelm, asKustomize, asPlugin}, func(o *render.Options) { o.ValuesFileSchemes = []string{"https"} })
	for _, tool := range []string{asHelm, asKustomize, asPlugin} {
		list = append(list,
			change{"the destination's namespace for " + tool, tool, "", func(w *everything) { w.target.Namespace, w.target.Version = "prod", "2" }, true},
			change{"the application's name for " + tool, tool, "", func(w *everything) { w.target.Release = "other" }, true})
	}
	return list
}

// Change one input, and it is rendered again; change anything else, and it is not. Whether it is in this process or after
// a restart makes no difference.
func TestWhatARenderIsMadeOf(t *testing.T) {
	for _, c := range changes() {
		for _, restarted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/restarted=%t", c.name, restarted), func(t *testing.T) {
				tool := c.tool
				if tool == "" {
					tool = asDirectory
				}
				w := newEverything(t, tool, c.more)
				before := w.expectRenders("first", 1, w.app)
				if restarted {
					w.begin()
				}
				c.do(w)
				want := 0
				if c.renders {
					want = 1
				}
				after := w.expectRenders("then", want, w.app)
				if inputs := before.Inputs != after.Inputs; inputs != c.renders && c.name != "a limit that is lowered" {
					t.Errorf("the inputs are said to differ: %t", inputs)
				}
				if why := after.Explain().Sources[0].Why; !restarted && c.renders == (why == "it was not rendered before" || why == "") {
					t.Errorf("why: %q", why)
				}
				w.expectRenders("and again", 0, w.app)
				fresh, err := NewEngine(w.sources, w.play, nil, nil).For(context.Background(), id(w.app), w.app, w.target)
				if w.facts.err != nil {
					return
				}
				if err != nil || fresh.Digest != after.Digest || fresh.Inputs != after.Inputs {
					t.Errorf("a fresh render gives something else (%v):\n%s\nthan\n%s", err, seenBy(fresh), seenBy(after))
				}
			})
		}
	}
}

// For any sequence of changes: it is rendered again exactly when what a render sees is not what the last one saw. What
// it sees is written down by the renderer, which knows nothing of the engine.
func TestRendersExactlyWhenSomethingSeenChanged(t *testing.T) {
	seeds := uint64(12)
	if os.Getenv("BOWLINE_SOAK") != "" {
		seeds = 400
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { randomChanges(t, seed) })
	}
}

func FuzzRendersExactlyWhenSomethingSeenChanged(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(randomChanges)
}

func randomChanges(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	lines := []string{"kube", "apis", "var ARGOCD_APP_REVISION", "var ARGOCD_APP_NAMESPACE", "var ARGOCD_APP_PROJECT_NAME", "read other", "list ../shared", "ref values dev.yaml"}
	tool := []string{asDirectory, asHelm, asKustomize}[r.IntN(3)]
	if tool != asDirectory {
		lines = append(lines, "names")
	}
	if tool == asKustomize {
		lines = append(lines, "options")
	}
	var more []string
	for _, line := range lines {
		if r.IntN(2) == 0 {
			more = append(more, line)
		}
	}
	w := newEverything(t, tool, strings.Join(more, "\n"))
	kept := map[string]string{} // what the last render saw, by what can be told before
	for step := range 60 {
		what := "first"
		if step > 0 {
			what = w.random(r)
		}
		if r.IntN(6) == 0 {
			w.begin()
			what += ", restarted"
		}
		var state *State
		rendered := w.rendersOf(func() { state = w.show(w.app) })
		fresh, err := NewEngine(w.sources, w.play, nil, nil).For(context.Background(), id(w.app), w.app, w.target)
		if err != nil {
			t.Fatal(err)
		}
		spec := fmt.Sprint(w.app.Spec.Sources[0].Kustomize, w.target.Options.HelmOff)
		sees := w.given(tool) + w.play.transcripts["web0"]
		if differs := kept[spec] != sees; differs != (rendered > 0) {
			t.Fatalf("step %d, %s: what is seen differs: %t; %d renders\n%s\n\nbefore\n%s", step, what, differs, rendered, sees, kept[spec])
		}
		if fresh.Digest != state.Digest || fresh.Inputs != state.Inputs {
			t.Fatalf("step %d, %s: it is not what a fresh render gives:\n%s\nbut\n%s", step, what, seenBy(fresh), seenBy(state))
		}
		kept[spec] = sees
	}
}

// given is what a render is given before it begins and counts, whether it looks at it or not.
func (w *everything) given(tool string) string {
	out := ""
	if tool != asDirectory {
		out += fmt.Sprint(w.target.Release, w.target.Namespace, w.target.Options.ValuesFileSchemes)
	}
	if tool == asKustomize {
		out += fmt.Sprint(w.target.Options)
	}
	return out
}

// random changes something, now and then back to what it was.
func (w *everything) random(r *rand.Rand) string {
	value := text(fmt.Sprint(r.IntN(3)))
	pick := func(paths ...string) files { return files{paths[r.IntN(len(paths))]: value} }
	switch r.IntN(12) {
	case 0, 1:
		c := pick("app/a", "app/absent", "app/sub/b", "app/sub/c", "app/other", "shared/s", "readme")
		w.commit("r", c)
		return fmt.Sprint("own ", c)
	case 2:
		w.commit("v", pick("prod.yaml", "dev.yaml", "app/a"))
		return "ref"
	case 3:
		w.commit("base", pick("x/c", "x/d", "app/a"))
		return "base"
	case 4:
		w.commit("charts#nginx", pick("values.yaml", "Chart.yaml"))
		return "chart"
	case 5:
		w.commit("https://files/v", files{"file": value})
		return "file"
	case 6:
		w.facts.version = fmt.Sprintf("v1.%d.0", r.IntN(2))
		return "version"
	case 7:
		w.facts.apis = []string{"v1", fmt.Sprintf("x/v%d", r.IntN(2))}
		return "apis"
	case 8:
		w.target.Namespace = fmt.Sprintf("ns%d", r.IntN(2))
		w.target.Version = "ns" + w.target.Namespace
		return "namespace"
	case 9:
		w.app.Spec.Project = fmt.Sprintf("p%d", r.IntN(2))
		return "project"
	case 10:
		switch r.IntN(4) {
		case 0:
			w.target.Options.KustomizeBuildOptions = fmt.Sprint(r.IntN(2))
		case 1:
			w.target.Options.ValuesFileSchemes = []string{fmt.Sprint(r.IntN(2))}
		case 2:
			w.target.Options.HelmOff = r.IntN(2) == 0
		case 3:
			w.target.Release = fmt.Sprint(r.IntN(2))
		}
		return "options"
	default:
		w.source(func(s *v1alpha1.ApplicationSource) {
			s.Kustomize = &v1alpha1.ApplicationSourceKustomize{NamePrefix: fmt.Sprint(r.IntN(2))}
		})
		return "spec"
	}
}
