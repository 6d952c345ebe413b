// SPDX-License-Identifier: Apache-2.0

package actions_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bowline-cd/bowline/internal/action"
	"github.com/bowline-cd/bowline/internal/cli/app/actions"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// fake has some objects, and remembers what it was asked for.
type fake struct {
	objects []actions.Object
	target  actions.Target
	ran     []string
	order   actions.Order
	closed  bool
	err     error
}

func (f *fake) open(_ context.Context, target actions.Target) (actions.Actor, error) {
	f.target = target
	return f, nil
}

func (f *fake) Objects(context.Context) ([]actions.Object, error) { return f.objects, nil }

func (f *fake) Run(_ context.Context, objects []actions.Object, order actions.Order) ([]actions.Done, error) {
	f.order = order
	var done []actions.Done
	for _, o := range objects {
		f.ran = append(f.ran, o.String())
		done = append(done, actions.Done{Group: o.Group, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, Outcome: "patched"})
	}
	return done, f.err
}

func (f *fake) Close() { f.closed = true }

func deployment(name string, offers ...action.Action) actions.Object {
	return actions.Object{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: name, Actions: offers}
}

var (
	restart  = action.Action{Name: "restart"}
	resume   = action.Action{Name: "resume"}
	noResume = action.Action{Name: "resume", Disabled: true}
)

func execute(f *fake, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := actions.NewCmd(&session.Session{Namespace: "argocd"}, f.open)
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.Execute()
	return out.String(), err
}

func TestListShowsTheActionsOfEachObject(t *testing.T) {
	f := &fake{objects: []actions.Object{deployment("a", noResume, restart), deployment("b", restart)}}
	out, err := execute(f, "list", "web", "--kind", "Deployment", "--group", "apps", "--resource-namespace", "shop")
	if err != nil {
		t.Fatal(err)
	}
	want := `GROUP  KIND        NAMESPACE  NAME  ACTION   DISABLED
apps   Deployment  shop       a     resume   true
apps   Deployment  shop       a     restart  false
apps   Deployment  shop       b     restart  false
`
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	if f.target.App != "argocd/web" || f.target.Kind != "Deployment" || f.target.Group != "apps" || f.target.Namespace != "shop" || !f.closed {
		t.Errorf("asked for %+v, closed %t", f.target, f.closed)
	}
}

func TestListShowsWhatItKnowsAndFailsForTheRest(t *testing.T) {
	broken := deployment("a")
	broken.Err = errors.New("the program is broken")
	out, err := execute(&fake{objects: []actions.Object{broken, deployment("b", restart)}}, "list", "web", "-o", "json")
	if err == nil || !strings.Contains(err.Error(), "Deployment shop/a: the program is broken") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(out, `"Name": "b"`) {
		t.Errorf("got %s", out)
	}
	if out, err := execute(&fake{}, "list", "web", "-o", "json"); err != nil || out != "[]\n" {
		t.Errorf("no objects: %q, %v", out, err)
	}
}

func TestRun(t *testing.T) {
	two := []actions.Object{deployment("a", resume), deployment("b", noResume), deployment("c", restart)}
	tests := map[string]struct {
		objects []actions.Object
		args    []string
		ran     []string
		want    string
	}{
		"one":                         {two[:1], []string{"resume"}, []string{"Deployment shop/a"}, "Deployment shop/a patched"},
		"several":                     {two, []string{"resume"}, nil, "3 objects are chosen: Deployment shop/a, Deployment shop/b, Deployment shop/c; choose one with --resource-name, or all with --all"},
		"all, of those that offer it": {two, []string{"resume", "--all"}, []string{"Deployment shop/a"}, "Deployment shop/a patched"},
		"all, of none":                {two, []string{"pause", "--all"}, nil, "none of the 3 objects offers it"},
		"none":                        {nil, []string{"resume", "--all"}, nil, "no object of the application is chosen"},
		"one that does not offer it":  {two[2:], []string{"resume"}, []string{"Deployment shop/c"}, "patched"}, // the actor says why not
		"dry run":                     {two[:1], []string{"resume", "--dry-run"}, []string{"Deployment shop/a"}, "patched (dry run)"},
		"parameters":                  {two[:1], []string{"resume", "--param", "a=b=c", "--param", "d="}, []string{"Deployment shop/a"}, "patched"},
		"broken parameter":            {two[:1], []string{"resume", "--param", "a"}, nil, `--param "a" is not name=value`},
		"no action":                   {two[:1], nil, nil, "of one application and of one action"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := &fake{objects: tt.objects}
			out, err := execute(f, append([]string{"run", "web"}, tt.args...)...)
			if err != nil {
				out += err.Error()
				if code := command.ExitCode(err); code != 2 {
					t.Errorf("exit code %d", code)
				}
			}
			if !strings.Contains(out, tt.want) {
				t.Errorf("got %q, want %q", out, tt.want)
			}
			if diff := cmp.Diff(tt.ran, f.ran); diff != "" {
				t.Error(diff)
			}
			if name == "parameters" {
				if diff := cmp.Diff(map[string]string{"a": "b=c", "d": ""}, f.order.Params); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestRunTellsWhatWasDoneBeforeAnError(t *testing.T) {
	f := &fake{objects: []actions.Object{deployment("a", restart)}, err: errors.New("conflict")}
	out, err := execute(f, "run", "web", "restart")
	if err == nil || !strings.Contains(out, "Deployment shop/a patched") {
		t.Errorf("got %q, %v", out, err)
	}
}
