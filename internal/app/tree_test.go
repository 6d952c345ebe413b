// SPDX-License-Identifier: Apache-2.0

package app

import (
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

func TestWhatTheProjectDoesNotPermitIsNotCalledMissing(t *testing.T) {
	app := &v1alpha1.Application{Status: v1alpha1.ApplicationStatus{Resources: []v1alpha1.ResourceStatus{
		{Kind: "ConfigMap", Namespace: "shop", Name: "there"}, {Kind: "ConfigMap", Namespace: "shop", Name: "gone"},
		{Kind: "Secret", Namespace: "kube-system", Name: "theirs"}, {Group: "batch", Kind: "Job", Namespace: "shop", Name: "hook", Hook: true},
	}}}
	there := []v1alpha1.ResourceNode{{ResourceRef: v1alpha1.ResourceRef{Kind: "ConfigMap", Namespace: "shop", Name: "there"}}}
	got := missing(app, there, func(key object.Key) bool { return key.Namespace == "shop" })
	if len(got) != 2 || got[0].Name != "gone" || got[0].Health == nil || got[0].Health.Status != v1alpha1.HealthStatusMissing {
		t.Fatalf("got %+v", got)
	}
	if got[1].Name != "theirs" || got[1].Health != nil || got[1].UID != "" {
		t.Errorf("of what the project does not permit: %+v", got[1])
	}
}

func TestOnlyAllowedLabelsOfHostsShow(t *testing.T) {
	labels := map[string]string{"zone": "a", "tenant": "b"}
	hosts := []v1alpha1.HostInfo{{Name: "one", Labels: labels}, {Name: "two"}}
	showLabels(hosts, []string{"zone", "arch"})
	if len(hosts[0].Labels) != 1 || hosts[0].Labels["zone"] != "a" || hosts[1].Labels != nil || len(labels) != 2 {
		t.Errorf("got %+v of %v", hosts, labels)
	}
	showLabels(hosts, nil)
	if hosts[0].Labels != nil {
		t.Errorf("got %+v", hosts)
	}
}
