// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWaveOf(t *testing.T) {
	for _, tt := range []struct {
		reason      string
		annotations map[string]string
		wave        int
		warns       bool
	}{
		{"none is wave 0", nil, 0, false},
		{"the annotation", map[string]string{"argocd.argoproj.io/sync-wave": "-3"}, -3, false},
		{"Helm's weight stands in for it", map[string]string{"helm.sh/hook": "pre-install", "helm.sh/hook-weight": "5"}, 5, false},
		{"and not beside it", map[string]string{"argocd.argoproj.io/sync-wave": "1", "helm.sh/hook-weight": "5"}, 1, false},
		{"what is no number is told", map[string]string{"helm.sh/hook-weight": "heavy"}, 0, true},
	} {
		wave, warning := WaveOf(&metav1.ObjectMeta{Annotations: tt.annotations})
		if wave != tt.wave || (warning != "") != tt.warns {
			t.Errorf("%s: wave %d, %q", tt.reason, wave, warning)
		}
	}
}
