// SPDX-License-Identifier: Apache-2.0

package application

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
)

// BenchmarkViewOfAChange is what a change of one of 10,000 applications costs one who looks at the first hundred, until its
// message is written as JSON.
func BenchmarkViewOfAChange(b *testing.B) {
	r := read(b, []string{"applications, *"})
	made := func(i, version int) *v1alpha1.Application {
		return readable(fmt.Sprintf("team-%d", i%50), fmt.Sprintf("app-%05d", i), version, well, func(app *v1alpha1.Application) {
			app.Labels = map[string]string{"team": fmt.Sprintf("team-%d", i%50), "env": "prod", "version": fmt.Sprint(version % 100)}
			app.Spec.Destination.Namespace = fmt.Sprintf("ns-%d", i%500)
		})
	}
	for i := range 10_000 {
		r.all.Put(made(i, i+1))
	}
	v := &listView{Service: r.Service, request: &bowline.ApplicationsQuery{Sort: "attention", Group: "label:team"}, limit: 100}
	b.ReportAllocs()
	for version := 20_000; b.Loop(); version++ {
		r.all.Put(made(version%10_000, version))
		changes, _ := r.all.Changed()
		seen := v.visible(r.ctx, changes)
		found, err := v.find(seen, changes)
		if err != nil {
			b.Fatal(err)
		}
		if text, err := json.Marshal(v.look(r.ctx, found, seen.sight, false)); err != nil || len(text) < 10 {
			b.Fatal(string(text), err)
		}
	}
}
