// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// crowd COUNT FILE creates the object of FILE so many times, ${N} being 1, 2, 3 …: for lists that nobody reads to the end.
func crowd(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: crowd COUNT FILE")
	}
	count, err := strconv.Atoi(args[0])
	ts.Check(err)
	var all []*unstructured.Unstructured
	for i := range count {
		ts.Setenv("N", strconv.Itoa(i+1))
		all = append(all, manifests(ts, args[1])...)
	}
	ctx, cancel := bounded()
	defer cancel()
	c, err := of(ts).clientOf(ctx, ts, all[0])
	ts.Check(err)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, u := range all {
		group.Go(func() error {
			_, err := c.Create(ctx, u, metav1.CreateOptions{FieldManager: manager})
			return err
		})
	}
	ts.Check(group.Wait())
}
