// SPDX-License-Identifier: Apache-2.0

package source

import (
	"slices"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/registry"
)

func TestCharts(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.AddChart("charts", "web", "1.2.3", nil)
	server.AddChart("charts", "web", "1.3.0", nil)
	server.AddChart("charts", "db", "9.9.9", nil)
	s, r := openStore(t, nil), Repository{URL: server.URL + "/charts", Type: KindHelm}
	got, err := s.Charts(t.Context(), r)
	if err != nil || len(got) != 2 || got[0].Name != "db" || got[1].Name != "web" || len(got[1].Versions) != 2 || !slices.Contains(got[1].Versions, "1.3.0") {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = s.Charts(t.Context(), unencrypted(Repository{URL: "oci://" + server.Host + "/charts", Type: KindHelm}))
	wantUnknown(t, err, "do not list")
	_, err = s.Charts(t.Context(), Repository{URL: server.URL + "/none", Type: KindHelm})
	wantProblem(t, err, ProblemNotFound)
}

func TestImageTags(t *testing.T) {
	server := registry.New(t, registry.Options{PageSize: 1})
	server.PushChart("charts", "web", "1.2.3", nil)
	server.PushChart("charts", "web", "1.3.0", nil)
	s := openStore(t, nil)
	got, err := s.ImageTags(t.Context(), unencrypted(Repository{URL: "oci://" + server.Host + "/charts/web", Type: KindOCI}))
	if err != nil || !slices.Equal(slices.Sorted(slices.Values(got)), []string{"1.2.3", "1.3.0"}) {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = s.ImageTags(t.Context(), unencrypted(Repository{URL: "oci://" + server.Host + "/charts/none", Type: KindOCI}))
	wantUnknown(t, err, "no repository")
}

func TestReach(t *testing.T) {
	server := registry.New(t, registry.Options{Username: "me", Password: "hunter2"})
	server.AddChart("charts", "web", "1.2.3", nil)
	server.PushChart("images", "web", "1.2.3", nil)
	s := openStore(t, nil)
	for name, r := range map[string]Repository{
		"charts":                 {URL: server.URL + "/charts", Type: KindHelm},
		"a registry":             {URL: "oci://" + server.Host + "/images/web", Type: KindOCI, InsecureOCIForceHTTP: true},
		"charts of a registry":   {URL: server.Host + "/images", Type: KindHelm, EnableOCI: true, InsecureOCIForceHTTP: true},
		"the root of a registry": {URL: server.Host, Type: KindHelm, EnableOCI: true, InsecureOCIForceHTTP: true},
	} {
		r.Username, r.Password = "me", fault.NewSecret("hunter2")
		if err := s.Reach(t.Context(), r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r.Password = fault.NewSecret("wrong")
		err := s.Reach(t.Context(), r)
		wantProblem(t, err, ProblemAuth)
	}
	err := s.Reach(t.Context(), Repository{URL: server.URL + "/repo.git"})
	if !Unreachable(err) {
		t.Errorf("what is no Git repository: got %v", err)
	}
}
