// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestBetween(t *testing.T) {
	config := func(data string) string {
		return "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {" + data + "}}"
	}
	pod := func(containers string) string {
		return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {template: {spec: {containers: [" + containers + "]}}}}"
	}
	custom := func(list string) string {
		return "{apiVersion: example.com/v1, kind: Thing, metadata: {name: t}, spec: {list: [" + list + "]}}"
	}
	secret := func(field, value string) string {
		return "{apiVersion: v1, kind: Secret, metadata: {name: s}, " + field + ": {key: " + value + "}}"
	}
	tests := map[string]struct {
		before, after string
		want          []string
	}{
		"the same":                    {config("a: x"), config("a: x"), nil},
		"a field changed":             {config("a: x"), config("a: z"), []string{`data.a "x" -> "z"`}},
		"a field came":                {config("a: x"), config("a: x, b: z"), []string{`data.b  -> "z"`}},
		"a field went":                {config("a: x, b: z"), config("a: x"), []string{`data.b "z" -> `}},
		"an element of a keyed list":  {pod("{name: a, image: i:1}"), pod("{name: a, image: i:2}"), []string{`spec.template.spec.containers[name=a].image "i:1" -> "i:2"`}},
		"a spelling of a quantity":    {pod("{name: a, resources: {limits: {cpu: 1000m}}}"), pod("{name: a, resources: {limits: {cpu: 1}}}"), nil},
		"a list of a custom resource": {custom("1, 2"), custom("1, 3"), []string{"spec.list [1,2] -> [1,3]"}},
		"a Secret":                    {secret("data", "b25l"), secret("data", "dHdv"), []string{"data.key ++++++++ -> ++++++++ (changed)"}},
		"a Secret written otherwise":  {secret("data", "b25l"), secret("stringData", "one"), nil},
		"another version": {config("a: x"), strings.Replace(config("a: x"), "v1", "v2", 1),
			[]string{`apiVersion "v1" -> "v2"`}},
	}
	for reason, tt := range tests {
		changes, err := Between(parse(t, tt.before), parse(t, tt.after), nil, nil, 0)
		if err != nil {
			t.Errorf("%s: %v", reason, err)
		}
		var got []string
		for _, c := range changes {
			got = append(got, fmt.Sprintf("%s %s -> %s", c.Path, c.Live, c.Desired))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", reason, got, tt.want)
		}
	}
}

func TestValuesAreShownAsLongAsIsAskedFor(t *testing.T) {
	long := strings.Repeat("x", 1000)
	before := parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x}}")
	after := parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: "+long+"}}")
	for most, want := range map[int]int{0: maxShown, 500: 500, 5000: len(long) + len(`""`)} {
		changes, err := Between(before, after, nil, nil, most)
		if err != nil || len(changes) != 1 || len(strings.TrimSuffix(changes[0].Desired, "…")) != want {
			t.Errorf("%d: %v, %v", most, changes, err)
		}
	}
}

func TestOwners(t *testing.T) {
	u := parse(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: c, managedFields: [
		{manager: hpa, operation: Update, subresource: scale, time: "2026-05-04T12:00:00Z", fieldsType: FieldsV1, fieldsV1: {}}]}}`)
	if got := Owners(u); len(got) != 1 || got[0] != (Owner{"hpa", "Update", "scale", "2026-05-04T12:00:00Z"}) {
		t.Errorf("got %v", got)
	}
}
