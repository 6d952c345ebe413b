// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// scripted is a renderer that does what the file "script" in the source's folder says, line by line, and makes one
// ConfigMap of all that it saw. What it saw is its transcript: equal transcripts are equal inputs, whatever the engine
// thinks of it.
//
//	type TYPE               the tool it stands for
//	read PATH, list PATH    something in the source's folder, or from the root with a leading "/"
//	ref NAME PATH           a file of another source
//	git URL REVISION PATH   a file of another repository; what it holds is script as well
//	chart URL NAME REVISION PATH
//	file URL
//	var NAME, kube, apis    the build environment and the cluster
//	names                   release and namespace
//	options                 the settings
//	roll FILE               a random value
//	clock FILE              the time of day
//	object NAME             one more object
type scripted struct {
	mu          sync.Mutex
	renders     int
	transcripts map[string]string // the last of each application
	dice        int
	now         string
}

type play struct {
	ctx     context.Context
	in      render.Input
	out     render.Output
	seen    []string
	fields  map[string]any
	script  *scripted
	objects []string
}

func (s *scripted) Render(ctx context.Context, in render.Input) (render.Output, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.Trace == nil {
		return render.Output{}, errors.New("nothing notes what is used")
	}
	p := &play{ctx: ctx, in: in, script: s, fields: map[string]any{}, out: render.Output{Type: v1alpha1.ApplicationSourceTypeDirectory}}
	path, _ := tree.Clean(in.Source.Path)
	if err := p.perform(in.Tree, tree.Join(path, "script")); err != nil {
		return p.out, err
	}
	p.out.Used = in.Trace.Used()
	if len(p.out.Needs) > 0 {
		return render.Output{Type: p.out.Type, Needs: p.out.Needs}, nil
	}
	s.renders++
	if s.transcripts == nil {
		s.transcripts = map[string]string{}
	}
	transcript := strings.Join(p.seen, "\n")
	s.transcripts[fmt.Sprint(in.App, in.Index)] = transcript
	for i, name := range append([]string{fmt.Sprintf("%s%d", in.App, in.Index)}, p.objects...) {
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}}}
		if i == 0 {
			data := map[string]any{"seen": transcript}
			for k, v := range p.fields {
				data[k] = v
			}
			u.Object["data"] = data
		}
		p.out.Manifests = append(p.out.Manifests, object.Manifest{Object: u, Origin: object.Origin{File: fmt.Sprintf("f%d", i), Source: in.Index}})
	}
	return p.out, nil
}

func (p *play) saw(format string, args ...any) { p.seen = append(p.seen, fmt.Sprintf(format, args...)) }

// perform plays a script file.
func (p *play) perform(t tree.Tree, file string) error {
	data, err := tree.ReadFile(p.ctx, t, file, -1)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	p.saw("script %s", data)
	for _, line := range strings.Split(string(data), "\n") {
		if words := strings.Fields(line); len(words) > 0 {
			if err := p.line(t, file, words[0], words[1:]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *play) line(t tree.Tree, file, verb string, args []string) error {
	switch verb {
	case "type":
		p.out.Type = v1alpha1.ApplicationSourceType(args[0])
	case "read", "list":
		at, ok := strings.CutPrefix(args[0], "/")
		if !ok {
			at = tree.Join(strings.TrimSuffix(strings.TrimSuffix(file, "script"), "/"), args[0])
		}
		if verb == "list" {
			return p.list(t, at)
		}
		return p.read(t, at)
	case "ref":
		other := p.in.Refs[args[0]]
		if other == nil {
			return fmt.Errorf("no source has ref %s", args[0])
		}
		return p.read(other, args[1])
	case "git":
		return p.remote(render.Need{Kind: render.NeedGit, URL: args[0], Revision: args[1], Where: file + ":1"}, args[2])
	case "chart":
		return p.remote(render.Need{Kind: render.NeedChart, URL: args[0], Chart: args[1], Revision: args[2], Where: file + ":2"}, args[3])
	case "file":
		return p.remote(render.Need{Kind: render.NeedFile, URL: args[0], Where: file + ":3"}, render.FileName)
	case "var":
		v, err := p.in.Variable(p.ctx, args[0])
		p.saw("$%s=%s", args[0], v)
		return err
	case "kube":
		v, err := p.in.KubeVersion(p.ctx)
		p.saw("kube %s", v)
		return err
	case "apis":
		v, err := p.in.APIVersions(p.ctx)
		p.saw("apis %s", v)
		return err
	case "names":
		p.saw("names %s %s", p.in.Release, p.in.Namespace)
	case "options":
		p.saw("options %v", p.in.Options)
	case "roll":
		p.in.Trace.Volatile("randAlphaNum", args[0])
		p.script.dice++
		p.fields["dice"] = fmt.Sprint(p.script.dice)
	case "clock":
		p.in.Trace.Volatile("now", args[0])
		p.fields["clock"] = p.script.now
	case "object":
		p.objects = append(p.objects, args[0])
	default:
		return fmt.Errorf("%s is no verb", verb)
	}
	return nil
}

func (p *play) read(t tree.Tree, at string) error {
	data, err := tree.ReadFile(p.ctx, t, at, -1)
	if errors.Is(err, tree.ErrAbsent) {
		p.saw("no %s", at)
		return nil
	}
	p.saw("%s=%s", at, data)
	return err
}

func (p *play) list(t tree.Tree, at string) error {
	_, err := t.List(p.ctx, at)
	if errors.Is(err, tree.ErrAbsent) {
		p.saw("no folder %s", at)
		return nil
	}
	if err != nil {
		return err
	}
	e, err := t.Lookup(p.ctx, at) // the folder's id stands for all of its names
	p.saw("folder %s %s", at, e.ID)
	return err
}

// remote plays the script at a path of a remote, or reads a file that is none.
func (p *play) remote(n render.Need, at string) error {
	r, ok := p.in.Remote(n)
	if !ok {
		p.out.Needs = append(p.out.Needs, n)
		return nil
	}
	if strings.HasSuffix(at, "script") {
		return p.perform(r.Tree, at)
	}
	return p.read(r.Tree, at)
}

// theatre is a bench with a scripted renderer and a cluster.
type theatre struct {
	*bench
	play   *scripted
	target Target
	facts  *fakeFacts
	memory *mapMemory
	cache  *mapMemory
}

type fakeFacts struct {
	version string
	apis    []string
	err     error
}

func (f *fakeFacts) KubeVersion(context.Context) (string, error)   { return f.version, f.err }
func (f *fakeFacts) APIVersions(context.Context) ([]string, error) { return f.apis, f.err }

func newTheatre(t *testing.T) *theatre {
	th := &theatre{
		bench: newBench(t), play: &scripted{now: "noon"}, target: newTarget("web"), facts: &fakeFacts{version: "v1.36.0", apis: []string{"v1"}},
		memory: &mapMemory{records: map[string][]byte{}}, cache: &mapMemory{records: map[string][]byte{}},
	}
	th.target.Release, th.target.Server, th.target.Facts = "web", "https://one", th.facts
	th.target.PermitSource = func(string) error { return nil }
	th.begin()
	return th
}

// begin starts a process that knows what is in memory and cache.
func (th *theatre) begin() { th.engine = NewEngine(th.sources, th.play, th.memory, th.cache) }

func (th *theatre) ask(app *v1alpha1.Application) (*State, error) {
	return th.engine.For(context.Background(), id(app), app, th.target)
}

func (th *theatre) show(app *v1alpha1.Application) *State {
	th.t.Helper()
	state, err := th.ask(app)
	if err != nil {
		th.t.Fatal(err)
	}
	return state
}

// rendersOf returns how many renders f caused.
func (th *theatre) rendersOf(f func()) int {
	before := th.play.renders
	f()
	return th.play.renders - before
}

// expectRenders shows an application and expects a number of renders.
func (th *theatre) expectRenders(what string, want int, app *v1alpha1.Application) (state *State) {
	th.t.Helper()
	if got := th.rendersOf(func() { state = th.show(app) }); got != want {
		th.t.Errorf("%s: %d renders, want %d", what, got, want)
	}
	return state
}

// seen returns what the first object of a state was made of.
func seenBy(s *State) string {
	if s == nil || len(s.Objects) == 0 {
		return "none"
	}
	text, _, _ := unstructured.NestedString(s.Objects[0].Decode().Object, "data", "seen")
	return text
}

func remotesAt(s *State) []string {
	var out []string
	for _, c := range s.Remotes {
		out = append(out, fmt.Sprintf("%s%s@%s", c.Repo.URL, c.Chart, c.ID))
	}
	slices.Sort(out)
	return out
}

func text(content string) tree.MemoryFile { return tree.MemoryFile{Content: content} }
