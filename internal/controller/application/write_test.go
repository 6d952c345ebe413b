// SPDX-License-Identifier: Apache-2.0

package application

import (
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Whatever field of a status differs, be it one that is added next year, it is written; the time of a comparison alone is not.
func TestEveryFieldOfAStatusIsMeaningful(t *testing.T) {
	every(t, reflect.TypeFor[v1alpha1.ApplicationStatus](), "status", func(name string, set func(reflect.Value)) {
		before, after := &v1alpha1.ApplicationStatus{}, &v1alpha1.ApplicationStatus{}
		set(reflect.ValueOf(after).Elem())
		if want := name != "status.ReconciledAt"; meaningful(before, after) != want || meaningful(after, before) != want {
			t.Errorf("a change of %s is meaningful: %v", name, !want)
		}
		if meaningful(after, after.DeepCopy()) {
			t.Errorf("%s differs from its copy", name)
		}
		revision := name == "status.Sync.Revision" || name == "status.Sync.Revisions" || name == "status.ReconciledAt"
		if onlyRevision(before, after) != revision {
			t.Errorf("a change of %s is of the revision only: %v", name, !revision)
		}
	})
}

// Whatever field differs, the patch is the one that the whole objects would make.
func TestAPatchLeavesOutOnlyWhatIsTheSame(t *testing.T) {
	base := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", ResourceVersion: "7", Annotations: map[string]string{"a": "1"}}}
	base.Spec.Project = "shop"
	base.Status.Resources = []v1alpha1.ResourceStatus{{Name: "one"}, {Name: "two"}}
	base.Status.History = v1alpha1.RevisionHistories{{Revision: "aaa"}, {Revision: "bbb"}}
	base.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationRunning,
		SyncResult: &v1alpha1.SyncOperationResult{Revision: "aaa", Resources: v1alpha1.ResourceResults{{Name: "one"}, {Name: "two"}}}}
	same := func(name string, before, after *v1alpha1.Application) {
		t.Helper()
		was, is := changedParts(before, after)
		got, err := client.MergeFrom(was).Data(is)
		if err != nil {
			t.Fatal(err)
		}
		want, err := client.MergeFrom(before).Data(after)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
	every(t, reflect.TypeFor[v1alpha1.ApplicationStatus](), "status", func(name string, set func(reflect.Value)) {
		if strings.Contains(name, "ValuesObject") {
			return // what is set there is no JSON
		}
		before, after := base, copyOf(base)
		after.Status = *after.Status.DeepCopy() // it shares lists
		set(reflect.ValueOf(&after.Status).Elem())
		same(name, before, after)
		same(name+" back", after, before)
	})
	for name, change := range map[string]func(*v1alpha1.Application){
		"nothing": func(*v1alpha1.Application) {},
		"an operation": func(a *v1alpha1.Application) {
			a.Operation = &v1alpha1.Operation{Retry: v1alpha1.RetryStrategy{Limit: 3}}
		},
		"no annotation":       func(a *v1alpha1.Application) { delete(a.Annotations, "a") },
		"the phase alone":     func(a *v1alpha1.Application) { a.Status.OperationState.Phase = v1alpha1.OperationFailed },
		"no results":          func(a *v1alpha1.Application) { a.Status.OperationState.SyncResult.Resources = nil },
		"no operation at all": func(a *v1alpha1.Application) { a.Status.OperationState = nil },
		"one object less":     func(a *v1alpha1.Application) { a.Status.Resources = a.Status.Resources[:1] },
		"no history":          func(a *v1alpha1.Application) { a.Status.History = nil },
	} {
		next := copyOf(base)
		change(next)
		same(name, base, next)
		same(name+" back", next, base)
	}
}

// every calls do for each field below a struct type, with what sets it to something.
func every(t *testing.T, typ reflect.Type, name string, do func(name string, set func(reflect.Value))) {
	t.Helper()
	for i := range typ.NumField() {
		f := typ.Field(i)
		at, below := name+"."+f.Name, f.Type
		enter := func(v reflect.Value) reflect.Value { return v.Field(i) }
		switch {
		case below == reflect.TypeFor[*metav1.Time](), below == reflect.TypeFor[metav1.Time]():
		case below.Kind() == reflect.Slice && below.Elem().Kind() == reflect.Struct:
			below = below.Elem()
			enter = func(v reflect.Value) reflect.Value {
				if v.Field(i).Len() == 0 {
					v.Field(i).Set(reflect.MakeSlice(f.Type, 1, 1))
				}
				return v.Field(i).Index(0)
			}
		case below.Kind() == reflect.Pointer && below.Elem().Kind() == reflect.Struct:
			below = below.Elem()
			enter = func(v reflect.Value) reflect.Value {
				if v.Field(i).IsNil() {
					v.Field(i).Set(reflect.New(below))
				}
				return v.Field(i).Elem()
			}
		}
		if below.Kind() == reflect.Struct && below != reflect.TypeFor[metav1.Time]() && below.PkgPath() == typ.PkgPath() {
			every(t, below, at, func(name string, set func(reflect.Value)) {
				do(name, func(v reflect.Value) { set(enter(v)) })
			})
			continue
		}
		do(at, func(v reflect.Value) { setSomething(v.Field(i)) })
	}
}

func setSomething(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		setSomething(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		setSomething(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		setSomething(key)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[metav1.Time]() {
			v.Set(reflect.ValueOf(metav1.NewTime(time.Unix(100, 0))))
			return
		}
		setSomething(v.Field(0))
	default:
		panic("a status has a " + v.Kind().String())
	}
}

// A pass changes its copy of an Application without a trace in what it read, which others read too.
func TestTheCopyOfAPassIsItsOwn(t *testing.T) {
	app := &v1alpha1.Application{}
	app.Annotations = map[string]string{"a": "1"}
	app.Status.Resources = []v1alpha1.ResourceStatus{{Name: "web"}}
	app.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationRunning,
		SyncResult: &v1alpha1.SyncOperationResult{Revision: "aaa", Resources: v1alpha1.ResourceResults{{Name: "web"}}}}
	app.Status.History = v1alpha1.RevisionHistories{{Revision: "aaa"}}
	was := app.DeepCopy()
	next := copyOf(app)
	if !unchanged(app, next) || !reflect.DeepEqual(next, was) {
		t.Fatalf("the copy is another one: %+v", next)
	}
	next.Annotations["a"] = "2"
	next.Status.Resources = nil
	next.Status.History[0].Revision = "bbb"
	next.Status.OperationState.Phase = v1alpha1.OperationFailed
	next.Status.OperationState.SyncResult.Revision = "bbb"
	next.Status.OperationState.SyncResult.Resources = nil
	if !reflect.DeepEqual(app, was) {
		t.Errorf("what was read has changed: %+v", app)
	}
	for name, change := range map[string]func(*v1alpha1.Application){
		"an annotation": func(a *v1alpha1.Application) { a.Annotations["b"] = "" },
		"a finalizer":   func(a *v1alpha1.Application) { a.Finalizers = []string{"f"} },
		"an operation":  func(a *v1alpha1.Application) { a.Operation = &v1alpha1.Operation{} },
		"the time of the comparison": func(a *v1alpha1.Application) {
			a.Status.ReconciledAt = &metav1.Time{Time: time.Unix(100, 0)}
		},
	} {
		if next := copyOf(app); true {
			change(next)
			if unchanged(app, next) {
				t.Errorf("%s is not written", name)
			}
		}
	}
}

// The echo of our own write is no news, so what it brings of others has to be seen at once.
func TestWhatOthersWroteMeanwhileIsSeen(t *testing.T) {
	next := &v1alpha1.Application{}
	next.Spec.Project = "shop"
	next.Status.Sync.Status = v1alpha1.SyncStatusCodeSynced
	for reason, change := range map[string]func(*v1alpha1.Application){
		"another spec": func(a *v1alpha1.Application) { a.Spec.Project = "other" },
		"a deletion":   func(a *v1alpha1.Application) { a.DeletionTimestamp = &metav1.Time{Time: now} },
		"an operation": func(a *v1alpha1.Application) { a.Operation = &v1alpha1.Operation{} },
		"a refresh": func(a *v1alpha1.Application) {
			a.Annotations = map[string]string{"argocd.argoproj.io/refresh": "normal"}
		},
	} {
		written := next.DeepCopy()
		written.ResourceVersion = "2"
		if overtaken(next, written) {
			t.Error("our own write is news")
		}
		if change(written); !overtaken(next, written) {
			t.Errorf("%s is none", reason)
		}
	}
}
