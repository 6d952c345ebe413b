// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
)

func TestUnservedDemandsClose(t *testing.T) {
	tests := []struct {
		spec    string
		windows bool
	}{
		{`{}`, false},
		{`{syncWindows: [{kind: deny, schedule: "0 22 * * *", duration: 1h, applications: ["*"]}]}`, true},
	}
	for _, tt := range tests {
		var p v1alpha1.AppProject
		if err := yaml.UnmarshalStrict([]byte(tt.spec), &p.Spec); err != nil {
			t.Fatal(err)
		}
		got := access.UnservedOf(&p)
		if (got.Windows != nil) != tt.windows {
			t.Errorf("%s: got %+v", tt.spec, got)
		}
	}
}
