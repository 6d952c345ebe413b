// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// process is a target and a record as seen by a process that is killed at some call: either before the call has any effect, or
// after it had and before the answer came. Nothing that it does after that has any effect.
type process struct {
	*fake
	left   int // calls until it is killed; negative: never
	after  bool
	killed bool
	cancel context.CancelCauseFunc
	record v1alpha1.ResourceResults // what is on record
}

var errKilled = fault.New(fault.Retry, "", "", "", "no answer", "")

// call does something that has an effect, and is where a process may be killed.
func (p *process) call(do func()) error {
	if p.killed {
		return errKilled
	}
	if p.left--; p.left != -1 {
		do()
		return nil
	}
	if p.after {
		do()
	}
	p.killed = true
	p.cancel(errors.New("killed"))
	return errKilled
}

func (p *process) Live(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, bool) {
	if p.killed {
		return nil, false
	}
	return p.fake.Live(ctx, gvk, namespace, name)
}

func (p *process) Read(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	if p.killed {
		return nil, errKilled
	}
	return p.fake.Read(ctx, gvk, namespace, name)
}

func (p *process) Write(ctx context.Context, w Write) (answer *unstructured.Unstructured, err error) {
	if dead := p.call(func() { answer, err = p.fake.Write(ctx, w) }); dead != nil {
		return nil, dead
	}
	return answer, err
}

func (p *process) Delete(ctx context.Context, d Deletion) (err error) {
	if dead := p.call(func() { err = p.fake.Delete(ctx, d) }); dead != nil {
		return dead
	}
	return err
}

func (p *process) note(_ context.Context, progress Progress, durable bool) error {
	if !durable {
		return nil
	}
	return p.call(func() { p.record = progress.Resources })
}

// run goes on with what is on record, as one process does.
func (p *process) run(work plan.Plan, left int, after bool) Result {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	p.left, p.after, p.killed, p.cancel = left, after, false, cancel
	return Run(ctx, work, p, p.hookOptions(func(o *Options) { o.Before, o.Record = p.record, p.note }))
}

// busyPlan has a bit of everything, with the objects of an earlier try in the way.
func busyPlan(f *fake) plan.Plan {
	for _, name := range []string{"migrate", "smoke"} {
		old := job(name)
		old.SetAnnotations(merged(old.GetAnnotations(), v1alpha1.AnnotationOperation, "1763000000-0-00000000"))
		old.SetFinalizers([]string{v1alpha1.HookFinalizer})
		f.put(old)
	}
	p := shopPlan()
	p.Phases[0].Waves = append(p.Phases[0].Waves, gated(1,
		hookStep(job("seed"), v1alpha1.HookTypePreSync, v1alpha1.HookDeletePolicyHookSucceeded), hookStep(configMap("marker"), v1alpha1.HookTypePreSync)))
	p.Phases[2].Waves[0].Steps = append(p.Phases[2].Waves[0].Steps, hookStep(job("migrate"), v1alpha1.HookTypePostSync))
	gone := configMap("gone")
	live := f.put(ours(gone))
	p.Phases[1].Waves[0].Steps = append(p.Phases[1].Waves[0].Steps, plan.Step{Action: plan.Prune, Key: object.KeyOf(gone), Version: "v1",
		Live: &plan.Live{UID: live.GetUID(), ResourceVersion: live.GetResourceVersion(), Object: live}})
	f.log = nil
	return p
}

func merged(m map[string]string, key, value string) map[string]string {
	out := map[string]string{key: value}
	for k, v := range m {
		out[k] = v
	}
	return out
}

// expire is a Job controller that also deletes what has ended, as ttlSecondsAfterFinished does.
func expire(outcomes map[string]string) func(*fake) {
	end := jobs(outcomes)
	return func(f *fake) {
		end(f)
		for key, u := range f.objects {
			switch {
			case key.Kind != "Job" || u.Object["status"] == nil:
			case len(u.GetFinalizers()) == 0:
				delete(f.objects, key)
			case u.GetDeletionTimestamp() == nil:
				now := metav1.Now()
				u.SetDeletionTimestamp(&now)
				f.put(u)
			}
		}
	}
}

// requireOnce checks that every hook was made exactly as often as wanted, and that nothing holds what is left of them.
func requireOnce(t *testing.T, about string, f *fake, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for _, line := range f.calls() {
		if name, ok := strings.CutPrefix(line, "create Job.batch shop/"); ok {
			got[name]++
		}
	}
	for name, n := range want {
		if got[name] != n {
			t.Fatalf("%s: hook %s was made %d times, want %d:\n%s", about, name, got[name], n, strings.Join(f.calls(), "\n"))
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Fatalf("%s: these hooks were made, too: %v", about, got)
	}
	for key, u := range f.objects {
		if slices.Contains(u.GetFinalizers(), v1alpha1.HookFinalizer) && strings.HasPrefix(u.GetAnnotations()[v1alpha1.AnnotationOperation], operation) {
			t.Fatalf("%s: %s is kept by its finalizer", about, key)
		}
	}
}

var crashCases = []struct {
	reason   string
	outcomes map[string]string
	phase    v1alpha1.OperationPhase
	made     map[string]int
	entries  []string
}{
	{"all goes well", nil, v1alpha1.OperationSucceeded, map[string]int{"migrate": 2, "seed": 1, "smoke": 1},
		[]string{"PreSync migrate=Succeeded", "PreSync seed=Succeeded", "PreSync marker=Succeeded", "PostSync smoke=Succeeded", "PostSync migrate=Succeeded"}},
	{"a hook fails", map[string]string{"seed": "Failed"}, v1alpha1.OperationFailed, map[string]int{"migrate": 1, "seed": 1, "tell": 1},
		[]string{"PreSync migrate=Succeeded", "PreSync seed=Failed", "PreSync marker=Succeeded", "SyncFail tell=Succeeded"}},
	{"a hook and a hook of the failure fail", map[string]string{"smoke": "Failed", "tell": "Failed"}, v1alpha1.OperationFailed,
		map[string]int{"migrate": 2, "seed": 1, "smoke": 1, "tell": 1},
		[]string{"PreSync migrate=Succeeded", "PreSync seed=Succeeded", "PreSync marker=Succeeded", "PostSync smoke=Failed", "PostSync migrate=Succeeded", "SyncFail tell=Failed"}},
}

// A process that is killed at any call, and followed by another: every hook runs exactly once, and the outcome is the same.
func TestKilledAtAnyCall(t *testing.T) {
	for _, tt := range crashCases {
		for _, after := range []bool{false, true} {
			for at := 0; ; at++ {
				about := fmt.Sprintf("%s, killed at call %d (after it: %v)", tt.reason, at, after)
				f := newFake()
				f.tick = expire(tt.outcomes)
				p := &process{fake: f}
				work := busyPlan(f)
				res := p.run(work, at, after)
				died := p.killed
				if died {
					res = p.run(work, -1, false)
				}
				if res.Phase != tt.phase {
					t.Fatalf("%s: %s (%s)", about, res.Phase, res.Message)
				}
				requireOnce(t, about, f, tt.made)
				requireEqual(t, about, hookPhases(res.Resources), tt.entries)
				if !died {
					break
				}
			}
		}
	}
}

// Many processes, each killed at some call.
func TestKilledManyTimes(t *testing.T) {
	cases := 60
	if os.Getenv("BOWLINE_SOAK") != "" {
		cases = 5000
	}
	seed := uint64(1)
	if text := os.Getenv("BOWLINE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
		cases = 1
	}
	for range cases {
		tt := crashCases[seed%uint64(len(crashCases))]
		random := rand.New(rand.NewPCG(seed, 0))
		f := newFake()
		f.tick = expire(tt.outcomes)
		p := &process{fake: f}
		work := busyPlan(f)
		res, deaths := Result{}, 0
		for p.killed = true; p.killed; deaths++ {
			res = p.run(work, random.IntN(12), random.IntN(2) == 0)
		}
		about := fmt.Sprintf("%s, BOWLINE_SEED=%d, %d deaths", tt.reason, seed, deaths-1)
		if res.Phase != tt.phase {
			t.Fatalf("%s: %s (%s)", about, res.Phase, res.Message)
		}
		requireOnce(t, about, f, tt.made)
		requireEqual(t, about, hookPhases(res.Resources), tt.entries)
		seed++
	}
}
