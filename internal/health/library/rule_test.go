// SPDX-License-Identifier: Apache-2.0

package library

import (
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/object"
)

// worksAtOnce are the rules of kinds that work as soon as they are created.
const worksAtOnce = `batch/CronJob argoproj.io/CronWorkflow apps.kruise.io/AdvancedCronJob`

const thing = `{metadata: {generation: 3, annotations: {example.com/paused: "true"}}, spec: {size: 3, empty: "", live: false},
  status: {observedGeneration: 2, phase: Up, ready: 2, share: 0.5, conditions: [{type: Ready, status: "False", reason: ErrDisk, message: no disk, observedGeneration: 3},
  {type: Old, status: "True", observedGeneration: 1, reason: Because}],
  list: [{name: a, size: 4, conditions: [{type: Ready, status: "True"}]}, {name: b, size: 5, conditions: [{type: Ready, status: "False", message: two is bad}]},
  {name: c, size: 6, conditions: [{type: Ready, status: "False", observedGeneration: 1}]}]}}`

func TestTests(t *testing.T) {
	tests := []struct {
		test string
		want bool
	}{
		{"behind", true}, {"unseen", true}, {"Ready behind", false}, {"Old behind", true}, {"None behind", false}, {"!behind", false}, {"!unseen", false}, {"!Ready behind", true}, {"!Old behind", false},
		{"Ready", true}, {"!Ready", false}, {"None", false}, {"!None", true},
		{"Ready=False", true}, {"Ready=True", false}, {"Ready=True,False", true}, {"Ready!=True", true}, {"Ready!=False", false}, {"None!=True", true},
		{"Ready=False:Oops,Err*", true}, {"Ready=False:Oops", false}, {"Ready=True:ErrDisk", false}, {"Ready!=False:ErrDisk", false},
		{"status.phase", true}, {"!status.phase", false}, {"spec.empty", false}, {"!spec.missing.deeper", true}, {"!spec.size.deeper", true},
		{"status.phase=Up,Down", true}, {"status.phase=U*", true}, {"status.phase=D*", false}, {"status.phase=Down", false}, {"status.phase!=Up", false}, {"status.nothing!=Up", true}, {"spec.live=false", true}, {"spec.size=3", true}, {"status.share=0.5", true},
		{"status.ready<spec.size", true}, {"status.ready>spec.size", false}, {"status.missing<spec.size", true}, {"status.ready>1", true}, {"status.share<1", true},
		{"metadata.annotations[example.com/paused]=true", true}, {"metadata.annotations[example.com/other]=true", false},
	}
	docs, err := object.ParseYAML("thing", []byte(thing))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		parsed, err := parseTest(tt.test)
		if err != nil {
			t.Errorf("%s: %v", tt.test, err)
			continue
		}
		if got := parsed.holds(viewOf(docs[0].Data)); got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.test, got, tt.want)
		}
	}
	if parsed, _ := parseTest("unseen"); !parsed.holds(viewOf(map[string]any{})) {
		t.Error("an object without a status is seen")
	}
}

func TestMessages(t *testing.T) {
	tests := []struct{ rule, want string }{
		{`{if: "Ready=False", status: Degraded}`, "no disk"},
		{`{if: ["Old=True", "Ready=False"], status: Degraded}`, "Because"},
		{`{any: ["None", "Ready=False"], status: Degraded}`, "no disk"},
		{`{in: status.list, some: [Ready=False], status: Degraded}`, "two is bad"},
		{`{in: status.list, some: [Ready=False, entry.name=b], status: Degraded, message: "{entry.name} of {status.phase}: {Ready}"}`, "b of Up: two is bad"},
		{`{in: status.list, some: "* behind", every: "entry.name", status: Degraded, message: "{entry.name}"}`, "c"},
		{`{in: status.list, every: "entry.size>spec.size", status: Degraded, message: "all are large"}`, "all are large"},
		{`{if: "!None", status: Degraded}`, ""},
		{`{status: Degraded, message: "phase {status.phase}, {status.ready} of {spec.size}: {Ready}{None}"}`, "phase Up, 2 of 3: no disk"},
		{`{status: Degraded, message: "phase {status.nothing}"}`, "phase"},
		{`{when: "obj.spec.size > 2", status: Degraded, say: "obj.status.phase + '!'"}`, "Up!"},
	}
	docs, err := object.ParseYAML("thing", []byte(thing))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		rule := Rule{}
		rule.once.Do(func() { rule.cases, rule.err = parse("test", []byte("cases: ["+tt.rule+"]")) })
		got, err := rule.Judge(docs[0].Data)
		if err != nil || got.Status != "Degraded" || got.Message != tt.want {
			t.Errorf("%s: got %s %q, error %v, want the message %q", tt.rule, got.Status, got.Message, err, tt.want)
		}
	}
}

func TestListsThatDoNotHold(t *testing.T) {
	docs, err := object.ParseYAML("thing", []byte(thing))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`{in: status.list, some: [Ready=True, entry.name=b], status: Degraded}`, // not the same entry
		`{in: status.list, every: Ready=True, status: Degraded}`,
		`{in: status.none, every: Ready=True, status: Degraded}`, // no entries at all
		`{in: status.phase, some: "!Ready", status: Degraded}`,   // not a list
	} {
		rule := Rule{}
		rule.once.Do(func() { rule.cases, rule.err = parse("test", []byte("cases: ["+text+"]")) })
		if got, err := rule.Judge(docs[0].Data); err != nil || got.Status != "" {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
}

func TestBrokenRulesSayWhere(t *testing.T) {
	tests := []struct{ rule, want string }{
		{`cases: []`, "no cases"},
		{`{like: a/B, cases: [{status: Healthy}]}`, "has no cases of its own"},
		{`like: no/Such`, "no/Such.yaml"},
		{`cases: [{status: Helthy}]`, `case 1: status "Helthy" is none of`},
		{`cases: [{status: Healthy}, {status: Healthy, iff: Ready}]`, "iff"},
		{`cases: [{status: Healthy, if: "!Ready=True"}]`, "both ! and a comparison"},
		{`cases: [{status: Healthy, if: "Ready="}]`, "want = or != and a value"},
		{`cases: [{status: Healthy, if: "Ready=False:*Err"}]`, "* stands only at the end"},
		{`cases: [{status: Healthy, if: "status.a=*b"}]`, "* stands only at the end"},
		{`cases: [{status: Healthy, if: "Ready<3"}]`, "a condition is not a number"},
		{`cases: [{status: Healthy, if: "status.a<b"}]`, "invalid syntax"},
		{`cases: [{status: Healthy, if: "status.a[b"}]`, "a bracket is not closed"},
		{`cases: [{status: Healthy, if: "status..b"}]`, "a name is empty"},
		{`cases: [{status: Healthy, any: "=x"}]`, "nothing to the left"},
		{`cases: [{status: Healthy, in: status.a}]`, "belong together"},
		{`cases: [{status: Healthy, some: Ready}]`, "belong together"},
		{`cases: [{status: Healthy, in: "status..a", some: Ready}]`, "in: a name is empty"},
		{`cases: [{status: Healthy, message: "{"}]`, "a brace is not closed"},
		{`cases: [{status: Healthy, when: "obj."}]`, "test, case 1: line 1, column"},
		{`cases: [{status: Healthy, say: "obj."}]`, "test, case 1: line 1, column"},
	}
	for _, tt := range tests {
		if _, err := parse("test", []byte(tt.rule)); err == nil || !strings.Contains(err.Error(), "test") || !strings.Contains(err.Error(), tt.want) {
			if tt.want != "no/Such.yaml" || err == nil {
				t.Errorf("%s: got %v, want it to hold %q", tt.rule, err, tt.want)
			}
		}
	}
}

// The library's files are trusted, but what they read is not: no test may fail on an object, however odd.
func FuzzJudge(f *testing.F) {
	f.Add("cases: [{if: ['Ready=False:Err*', behind], status: Degraded}, {any: 'status.a.b<spec.c', status: Progressing}, {status: Healthy, message: 'x {status.d} {Ready}'}]", thing)
	f.Add("cases: [{if: 'metadata.annotations[a/b]!=c', status: none}]", `{status: [1], metadata: 3, spec: {a: {b: null}}}`)
	f.Fuzz(func(t *testing.T, rule, data string) {
		docs, err := object.ParseYAML("fuzz", []byte(data))
		if err != nil || len(docs) == 0 {
			return
		}
		cases, err := parse("fuzz", []byte(rule))
		if err != nil {
			return
		}
		r := &Rule{}
		r.once.Do(func() { r.cases = cases })
		got, decided, err := r.judge(docs[0].Data)
		if err == nil && decided < 0 && got != (Verdict{}) {
			t.Fatalf("no case decided, but the verdict is %v", got)
		}
		for _, rule := range []*Rule{Conventions(), index().rules["cert-manager.io/Certificate"]} {
			if _, err := rule.Judge(docs[0].Data); err != nil {
				t.Fatalf("%s: %v", rule.name, err)
			}
		}
	})
}
