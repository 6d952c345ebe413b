// SPDX-License-Identifier: Apache-2.0

package health

import (
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

func TestCELCheck(t *testing.T) {
	const object = `{apiVersion: example.com/v1, kind: Thing, metadata: {generation: 2}, status: {phase: Up, observedGeneration: 2, conditions: [{type: Ready, status: "False", reason: Broken, message: no disk}]}}`
	tests := []struct {
		expr    string
		want    v1alpha1.HealthStatusCode
		message string
	}{
		{`"Healthy"`, "Healthy", ""},
		{`isTrue(obj, 'Ready') ? 'Healthy' : 'Degraded'`, "Degraded", ""},
		{`{'status': 'Degraded', 'message': condition(obj, 'Ready').message}`, "Degraded", "no disk"},
		{`{'status': 'Suspended', 'message': null}`, "Suspended", ""},
		{`observed(self) && self.status.phase == 'Up' ? 'Healthy' : 'Progressing'`, "Healthy", ""},
		{`'Helthy'`, "Unknown", `cm, key k: status "Helthy" is none of [Healthy `},
		{`{'message': 'x'}`, "Unknown", "it has no status"},
		{`{'status': 'Healthy', 'message': 3}`, "Unknown", "message is not a string"},
		{`null`, "Unknown", "it has no status"},
		{`obj.status.nothing`, "Unknown", "no such key: nothing"},
	}
	for _, tt := range tests {
		check, err := CELCheck("cm, key k", tt.expr)
		if err != nil {
			t.Errorf("%s: %v", tt.expr, err)
			continue
		}
		got := verdict(check, parse(t, "object", object))
		if got.Status != tt.want || !strings.Contains(got.Message, tt.message) {
			t.Errorf("%s: got %s (%q), want %s (%q)", tt.expr, got.Status, got.Message, tt.want, tt.message)
		}
	}
	if _, err := CELCheck("cm, key k", `obj.status.`); !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "cm, key k: line 1, column") {
		t.Errorf("a broken expression: got %v", err)
	}
}
