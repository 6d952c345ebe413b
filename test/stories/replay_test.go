// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// version is what an object was from one revision of the cluster's store on; nil if it did not exist.
type version struct {
	revision uint64
	object   *unstructured.Unstructured
}

// ever since=MARK KIND NAME CONDITION... [before KIND NAME CONDITION...] looks at every version that an object had since
// a mark: whether one of them was so, and was so before another object was. All kinds share the store's revisions, so
// that they tell what came first.
func ever(ts *testscript.TestScript, neg bool, args []string) {
	opts, args := options(args, "since")
	s := of(ts)
	from, ok := s.revisions[opts["since"]]
	first, second := args, []string(nil)
	if at := slices.Index(args, "before"); at >= 0 {
		first, second = args[:at], args[at+1:]
	}
	if !ok || len(first) < 3 || second != nil && len(second) < 3 {
		ts.Fatalf("usage: ever since=MARK KIND NAME CONDITION... [before KIND NAME CONDITION...], after `audit mark MARK`")
	}
	was := s.firstTime(ts, from, first)
	switch {
	case neg && second == nil && was != nil:
		ts.Fatalf("it was so at revision %d: %s\n%s", was.revision, strings.Join(first, " "), s.describe(was))
	case !neg && was == nil:
		ts.Fatalf("it never was so: %s", strings.Join(first, " "))
	}
	if second == nil {
		return
	}
	then := s.firstTime(ts, from, second)
	if then == nil {
		ts.Fatalf("it never was so: %s", strings.Join(second, " "))
	}
	if earlier := was != nil && was.revision < then.revision; earlier == neg {
		ts.Fatalf("%s: at revision %s; %s: at %d", strings.Join(first, " "), at(was), strings.Join(second, " "), then.revision)
	}
}

func at(v *version) string {
	if v == nil {
		return "none"
	}
	return strconv.FormatUint(v.revision, 10)
}

func (s *story) describe(v *version) string {
	if v.object == nil {
		return ""
	}
	return fmt.Sprint(v.object.Object["status"])
}

// firstTime returns the first version of an object for which all conditions hold; nil if there is none.
func (s *story) firstTime(ts *testscript.TestScript, from uint64, args []string) *version {
	conditions := parse(ts, args[2:])
	versions, err := s.replay(s.target(ts, args[0], args[1]), from)
	ts.Check(err)
	for i := range versions {
		if len(failing(conditions, versions[i].object)) == 0 {
			return &versions[i]
		}
	}
	return nil
}

// replay returns the versions of an object from a revision to now, the one at that revision first. It walks back from
// version to version in the store's history; watches do not reach back beyond the API server's cache. Of an object that
// did not exist for a time, it finds one moment at which it went.
func (s *story) replay(t target, from uint64) ([]version, error) {
	ctx, cancel := bounded()
	defer cancel()
	revision, err := s.now()
	if err != nil {
		return nil, err
	}
	var versions []version
	for {
		u, err := s.getAt(ctx, t, revision)
		if err != nil {
			return nil, err
		}
		v := version{object: u}
		if u == nil {
			v.revision, revision, err = s.wentAt(ctx, t, from, revision)
		} else {
			v.revision, revision = max(revisionOf(u), from), revisionOf(u)-1
		}
		if err != nil {
			return nil, err
		}
		if versions = append(versions, v); v.revision == from {
			slices.Reverse(versions)
			return versions, nil
		}
	}
}

// wentAt returns the revision at which an object that does not exist at the latter one went, and the last at which it
// was there; the former one if it was not there then.
func (s *story) wentAt(ctx context.Context, t target, there, gone uint64) (went, last uint64, err error) {
	if u, err := s.getAt(ctx, t, there); err != nil || u == nil {
		// It may have come and gone in between: only looking at all of it tells.
		for last = gone - 1; last > there && err == nil; last-- {
			if u, err = s.getAt(ctx, t, last); u != nil {
				return last + 1, last, err
			}
		}
		return there, there, err
	}
	for gone-there > 1 {
		middle := there + (gone-there)/2
		u, err := s.getAt(ctx, t, middle)
		if err != nil {
			return 0, 0, err
		}
		if u == nil {
			gone = middle
		} else {
			there = middle
		}
	}
	return gone, there, nil
}

// getAt returns an object as it was at a revision; nil if there was none, or its kind did not exist.
func (s *story) getAt(ctx context.Context, t target, revision uint64) (*unstructured.Unstructured, error) {
	c, err := s.client(t)
	if err != nil {
		return nil, err
	}
	list, err := c.List(ctx, metav1.ListOptions{FieldSelector: named(t.name), ResourceVersion: strconv.FormatUint(revision, 10),
		ResourceVersionMatch: metav1.ResourceVersionMatchExact})
	if errors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}

func revisionOf(u interface{ GetResourceVersion() string }) uint64 {
	n, err := strconv.ParseUint(u.GetResourceVersion(), 10, 64)
	if err != nil {
		panic(fmt.Sprintf("resourceVersion %q is no number", u.GetResourceVersion()))
	}
	return n
}

// now returns the present revision of the cluster's store.
func (w *world) now() (uint64, error) {
	ctx, cancel := bounded()
	defer cancel()
	list, err := w.cluster.Client().CoreV1().Namespaces().List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return 0, err
	}
	return revisionOf(list), nil
}

// awaitCreation waits until a dry run of creating the object of a file is answered as wanted: admission policies take
// effect some time after they were written.
func (s *story) awaitCreation(ts *testscript.TestScript, file string, conditions []condition) error {
	ctx, cancel := bounded()
	defer cancel()
	for _, u := range manifests(ts, file) {
		c, err := s.clientOf(ctx, ts, u)
		if err != nil {
			return err
		}
		if err := again(ctx, func() []string {
			answer, err := c.Create(ctx, u, metav1.CreateOptions{FieldManager: manager, DryRun: []string{metav1.DryRunAll}})
			if err != nil {
				return []string{err.Error()}
			}
			return failing(conditions, answer)
		}); err != nil {
			return err
		}
	}
	return nil
}

// again asks until nothing is wrong any more.
func again(ctx context.Context, wrong func() []string) error {
	for {
		found := wrong()
		if len(found) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: should be %s", context.Cause(ctx), strings.Join(found, "; "))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
