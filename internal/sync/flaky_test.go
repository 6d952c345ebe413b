// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// flaky is an API server that does not answer now and then, before or after it did what was asked, and a watch that knows nothing
// now and then.
type flaky struct {
	*fake
	random *rand.Rand
	out    int // of a hundred calls that are not answered
}

var errNoAnswer = fault.New(fault.Retry, "ask", "the API server", "", "no answer in time", "")

func (f *flaky) fails() bool { return f.random.IntN(100) < f.out }

func (f *flaky) Live(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, bool) {
	if f.fails() {
		return nil, false
	}
	return f.fake.Live(ctx, gvk, namespace, name)
}

func (f *flaky) Read(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	if f.fails() {
		return nil, errNoAnswer
	}
	return f.fake.Read(ctx, gvk, namespace, name)
}

func (f *flaky) Write(ctx context.Context, w Write) (*unstructured.Unstructured, error) {
	if f.fails() {
		return nil, errNoAnswer
	}
	answer, err := f.fake.Write(ctx, w)
	if f.fails() {
		return nil, errNoAnswer
	}
	return answer, err
}

func (f *flaky) Delete(ctx context.Context, d Deletion) error {
	if f.fails() {
		return errNoAnswer
	}
	err := f.fake.Delete(ctx, d)
	if f.fails() {
		return errNoAnswer
	}
	return err
}

// However the API server fails: no hook is made twice in a try, none that ended is told wrong, and a run that says that it
// succeeded has done everything.
func TestAnAPIServerThatFailsNowAndThen(t *testing.T) {
	cases := uint64(100)
	if os.Getenv("BOWLINE_SOAK") != "" {
		cases = 5000
	}
	succeededOnes := 0
	for seed := range cases {
		f := newFake()
		f.tick = expire(nil)
		server := &flaky{fake: f, random: rand.New(rand.NewPCG(seed, 1)), out: 15}
		res := Run(context.Background(), busyPlan(f), server, f.hookOptions())
		about := fmt.Sprintf("seed %d: %s (%s)\n%s", seed, res.Phase, res.Message, strings.Join(f.calls(), "\n"))
		made := map[string]int{}
		for _, line := range f.calls() {
			made[line]++
		}
		for line, times := range made {
			if limit := map[bool]int{true: 2, false: 1}[strings.HasSuffix(line, "/migrate")]; strings.HasPrefix(line, "create Job") && times > limit {
				t.Fatalf("%s %d times; %s", line, times, about)
			}
		}
		if res.Phase == v1alpha1.OperationSucceeded {
			succeededOnes++
			requireEqual(t, about, hookPhases(res.Resources), crashCases[0].entries)
		}
		for _, r := range res.Resources {
			if r.HookPhase == v1alpha1.OperationRunning {
				t.Fatalf("%s %s is still running; %s", r.Kind, r.Name, about)
			}
		}
	}
	if succeededOnes == 0 || succeededOnes == int(cases) {
		t.Errorf("%d of %d succeeded: the test proves little", succeededOnes, cases)
	}
}
