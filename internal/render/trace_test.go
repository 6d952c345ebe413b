// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

// facts is a cluster that is known, or not.
type facts struct{ err error }

func (f facts) KubeVersion(context.Context) (string, error) { return "v1.36.2", f.err }
func (f facts) APIVersions(context.Context) ([]string, error) {
	return []string{"apps/v1", "v1"}, f.err
}

func TestSubstitute(t *testing.T) {
	build := map[string]string{"ARGOCD_APP_NAME": "web", "ARGOCD_APP_REVISION": "abc", "EMPTY": ""}
	for _, c := range []struct {
		text, want string
		used       render.Used
	}{
		{"plain", "plain", render.Used{}},
		{"$ARGOCD_APP_NAME-${ARGOCD_APP_REVISION}", "web-abc", render.Used{Build: []string{"ARGOCD_APP_NAME", "ARGOCD_APP_REVISION"}}},
		{"$ARGOCD_APP_NAME.$ARGOCD_APP_NAME", "web.web", render.Used{Build: []string{"ARGOCD_APP_NAME"}}},
		{"a$$b", "a$b", render.Used{}},
		{"$$ARGOCD_APP_NAME", "$ARGOCD_APP_NAME", render.Used{}},
		{"x${NOT_THERE}y", "xy", render.Used{}},
		{"x${EMPTY}y", "xy", render.Used{Build: []string{"EMPTY"}}},
		{"$HOME$PATH", "", render.Used{}}, // the process's own environment is nobody's business
		{"$KUBE_VERSION", "v1.36.2", render.Used{KubeVersion: true}},
		{"$KUBE_API_VERSIONS", "apps/v1,v1", render.Used{APIVersions: true}},
		{"1$", "1$", render.Used{}},
	} {
		in := render.Input{Build: build, Cluster: facts{}, Trace: &render.Trace{}}
		got, err := in.Substitute(context.Background(), c.text)
		if err != nil || got != c.want {
			t.Errorf("%s gives %q, %v; want %q", c.text, got, err, c.want)
		}
		if used := in.Trace.Used(); len(used.Build) != len(c.used.Build) || len(used.Build) > 0 && !reflect.DeepEqual(used.Build, c.used.Build) ||
			used.KubeVersion != c.used.KubeVersion || used.APIVersions != c.used.APIVersions {
			t.Errorf("%s used %+v, want %+v", c.text, used, c.used)
		}
	}
}

// What the cluster can do is asked, or it is an error: never an empty answer.
func TestFactsUnknown(t *testing.T) {
	lost := errors.New("no route to host")
	for _, c := range []struct {
		name    string
		cluster render.Facts
		is      func(error) bool
	}{
		{"no cluster", nil, func(err error) bool { return fault.Is(err, fault.Wait) }},
		{"cluster does not answer", facts{lost}, func(err error) bool { return errors.Is(err, lost) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := render.Input{Cluster: c.cluster}
			for _, text := range []string{"$KUBE_VERSION", "a${KUBE_API_VERSIONS}"} {
				if _, err := in.Substitute(context.Background(), text); err == nil || !c.is(err) {
					t.Errorf("%s: %v", text, err)
				}
			}
		})
	}
}
