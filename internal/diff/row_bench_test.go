// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "sigs.k8s.io/json"

	"github.com/bowline-cd/bowline/internal/object"
)

// BenchmarkRow is one row of an application's table, from the JSON that the watch brought: what one event costs when it
// concerns somebody. Live has the managedFields of a real Deployment.
func BenchmarkRow(b *testing.B) {
	in := applied(b, deployment, liveDeployment)
	addOwner(b, in.Live, nil, owner{Manager: "kube-controller-manager", Operation: "Update", Subresource: "status",
		Fields: map[string]any{"status": in.Live.Object["status"], "metadata": map[string]any{"annotations": map[string]any{"deployment.kubernetes.io/revision": "1"}}}})
	in.DesiredDigest = object.DigestOf(in.Desired.Object)
	accepted, ok, err := Accept(in.DesiredDigest, in.Live, in)
	if err != nil || !ok {
		b.Fatal(ok, err)
	}
	desired, err := json.Marshal(in.Desired.Object)
	if err != nil {
		b.Fatal(err)
	}
	live, err := json.Marshal(in.Live.Object)
	if err != nil {
		b.Fatal(err)
	}
	for name, known := range map[string]*Accepted{"accepted": &accepted, "canonical": nil} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				in := Input{Desired: decoded1(b, desired), Live: decoded1(b, live), DesiredDigest: in.DesiredDigest, Accepted: known}
				if r := Compare(in); r.Verdict != Same {
					b.Fatal(r.Verdict, r.Changes)
				}
			}
		})
	}
	b.Run("decoding", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			decoded1(b, desired)
			decoded1(b, live)
		}
	})
}

func decoded1(b *testing.B, raw []byte) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &u.Object); err != nil {
		b.Fatal(err)
	}
	return u
}
