// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// BenchmarkBuild plans an application of so many objects in five waves.
func BenchmarkBuild(b *testing.B) {
	for _, size := range []int{10, 3000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			in := Input{Namespace: "shop", Prune: true}
			for n := range size {
				wave := map[string]string{v1alpha1.AnnotationSyncWave: strconv.Itoa(n % 5)}
				in.Items = append(in.Items, testItem{Kind: "ConfigMap", NS: "shop", Name: fmt.Sprint("c", n), Desired: n%10 != 0, Live: true, Annotations: wave}.items()...)
			}
			for b.Loop() {
				if p, err := Build(in); err != nil || len(p.Steps()) != size {
					b.Fatal(err, len(p.Steps()))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/object")
		})
	}
}
