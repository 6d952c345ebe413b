// SPDX-License-Identifier: Apache-2.0

package application

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/sync"
)

// heldPass is a pass over an application with a hold, whose only source renders n Deployments at any commit.
func heldPass(t *testing.T, hold string, n int) *pass {
	t.Helper()
	var manifests []object.Manifest
	for i := range n {
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON([]byte(strings.ReplaceAll(deploymentText, "%q", `"`+deployment(i).Name+`"`))); err != nil {
			t.Fatal(err)
		}
		manifests = append(manifests, object.Manifest{Object: u})
	}
	p := passOf(nil)
	p.log, p.Engine = slog.New(slog.DiscardHandler), desired.NewEngine(oneCommit{}, given(manifests), nil, nil)
	p.target = desired.Target{
		Instance: shop, Namespace: shop, Tracker: settings.Defaults().Tracker, Version: "2",
		Scope:    func(schema.GroupVersionKind) desired.Scope { return desired.ScopeNamespaced },
		Permit:   func(object.Key, bool) error { return nil },
		Excluded: func(string, string) bool { return false },
	}
	p.app.Spec.Source = &v1alpha1.ApplicationSource{RepoURL: "https://git.example/shop", Path: "."}
	p.app.Annotations = map[string]string{v1alpha1.AnnotationHold: hold}
	p.next = p.app.DeepCopy()
	p.state = stateOf(t, 1)
	return p
}

const heldCommit = "89abcdef0123456789abcdef0123456789abcdef"

func TestAHoldIsJudgedByTheMeansOfToday(t *testing.T) {
	sources := string(sourcesDigest(heldPass(t, "", 1).app))
	now1 := string(stateOf(t, 1).Digest)
	for _, tt := range []struct {
		name    string
		hold    bowline.Hold
		renders int // what the held commit renders to today; one Deployment is desired
		stands  bool
	}{
		{"it is what is desired", bowline.Hold{Digest: now1, Sources: sources, Revisions: []string{heldCommit}}, 2, true},
		{"its digest is that of an older Bowline", bowline.Hold{Digest: "older", Sources: sources, Revisions: []string{heldCommit}}, 1, true},
		{"something else is rendered by now", bowline.Hold{Digest: "older", Sources: sources, Revisions: []string{heldCommit}}, 2, false},
		{"other sources", bowline.Hold{Digest: "older", Sources: "others", Revisions: []string{heldCommit}}, 1, false},
		{"just written", bowline.Hold{Reason: "broken"}, 2, true},
		{"just written about a revision that a fix has followed", bowline.Hold{Revisions: []string{heldCommit}}, 2, false},
		{"just written about a revision that renders the same", bowline.Hold{Revisions: []string{heldCommit}}, 1, true},
	} {
		p := heldPass(t, tt.hold.String(), tt.renders)
		held := p.holdOff(t.Context())
		value, there := p.next.Annotations[v1alpha1.AnnotationHold]
		if (held != "") != tt.stands || there != tt.stands || (p.unheld == "") != tt.stands {
			t.Errorf("%s: held %q, ended %q, annotation %q", tt.name, held, p.unheld, value)
			continue
		}
		if !p.found.has(v1alpha1.ApplicationConditionHoldWarning) == tt.stands {
			t.Errorf("%s: told %v", tt.name, p.found.conditions(nil, p.now))
		}
		if !tt.stands {
			continue
		}
		h, err := bowline.ParseHold(value)
		if err != nil || h.Digest != now1 {
			t.Errorf("%s: it is about %s now, %v", tt.name, h.Digest, err)
		}
		if p.guard != (value != tt.hold.String()) {
			t.Errorf("%s: a write of it takes back what others write: %v", tt.name, !p.guard)
		}
	}
}

func TestAHoldWithATimeIsLookedAtThen(t *testing.T) {
	hold := bowline.Hold{Digest: string(stateOf(t, 1).Digest), Until: now.Add(time.Hour)}
	p := heldPass(t, hold.String(), 1)
	if held := p.holdOff(t.Context()); held == "" || p.again != time.Hour {
		t.Errorf("held %q, looked at again in %s", held, p.again)
	}
	p.state = nil // also when nothing is known of the sources
	p.now = metav1.NewTime(now.Add(time.Hour))
	p.Clock.(interface{ SetTime(time.Time) }).SetTime(now.Add(time.Hour))
	if held := p.holdOff(t.Context()); held != "" || p.unheld == "" {
		t.Errorf("held %q, ended %q", held, p.unheld)
	}
}

func TestASyncByHandEndsAHold(t *testing.T) {
	for _, tt := range []struct {
		name    string
		request bool
		change  func(*operation)
		ends    bool
	}{
		{"asked for while it was held", true, nil, true},
		{"asked for before", false, nil, false},
		{"automated", true, func(o *operation) { o.spec.InitiatedBy.Automated = true }, false},
		{"of a part", true, func(o *operation) { o.work.Partial = true }, false},
		{"a dry run", true, func(o *operation) { o.spec.Sync.DryRun = true }, false},
		{"of something else", true, func(o *operation) { o.state = &desired.State{Digest: "good"} }, false},
	} {
		state := stateOf(t, 1)
		p := heldPass(t, bowline.Hold{Digest: string(state.Digest)}.String(), 1)
		if tt.request {
			p.app.Operation = &v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}}
			p.holdOff(t.Context())
		}
		op := begun("aaa")
		op.spec.InitiatedBy.Automated, op.state = false, state
		if tt.change != nil {
			tt.change(op)
		}
		p.took = &taken{outcome: outcome{op: op, result: sync.Result{Phase: v1alpha1.OperationSucceeded}}}
		p.holdOff(t.Context())
		if ended := p.unheld != ""; ended != tt.ends {
			t.Errorf("%s: ended %v", tt.name, ended)
		}
	}
}
