// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// fallible is a mapper that fails the first time it is asked.
type fallible struct {
	meta.RESTMapper
	asked int
}

func (f *fallible) RESTMapping(gk schema.GroupKind, _ ...string) (*meta.RESTMapping, error) {
	f.asked++
	if f.asked == 1 {
		return nil, errors.New("not served yet")
	}
	return &meta.RESTMapping{GroupVersionKind: gk.WithVersion("v1")}, nil
}

func TestAMapperRemembersWhatItFoundAndNoError(t *testing.T) {
	inner := &fallible{}
	m := &rememberingMapper{RESTMapper: inner}
	gk := schema.GroupKind{Group: "argoproj.io", Kind: "Application"}
	if _, err := m.RESTMapping(gk, "v1"); err == nil {
		t.Fatal("the error of the mapper below is lost")
	}
	for range 3 {
		if got, err := m.RESTMapping(gk, "v1"); err != nil || got.GroupVersionKind.Kind != "Application" {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	if inner.asked != 2 {
		t.Errorf("the mapper below was asked %d times, want 2", inner.asked)
	}
	if got, err := m.RESTMapping(schema.GroupKind{Group: "argoproj.io", Kind: "AppProject"}, "v1"); err != nil || got.GroupVersionKind.Kind != "AppProject" {
		t.Errorf("another kind is %v, %v", got, err)
	}
}
