// SPDX-License-Identifier: Apache-2.0

package cel

import (
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
)

// wide is a list of 5,000 numbers.
var wide = func() (out []any) {
	for i := range int64(5000) {
		out = append(out, i)
	}
	return out
}()

func object() map[string]any {
	return map[string]any{
		"kind": "Thing", "wide": wide, "long": strings.Repeat("x", 1000),
		"metadata": map[string]any{"name": "a", "generation": int64(3), "labels": map[string]any{"app.kubernetes.io/name": "shop"}},
		"spec":     map[string]any{"replicas": int64(2), "share": 0.5, "flags": []any{"x", "y"}},
		"status": map[string]any{
			"observedGeneration": int64(2), "phase": "Up",
			"conditions": []any{
				map[string]any{"type": "Ready", "status": "True", "reason": "Fine", "message": "all is well"},
				map[string]any{"type": "Stalled", "status": "False"},
				"not a condition",
			},
		},
	}
}

func TestEval(t *testing.T) {
	tests := []struct {
		expr string
		want any
	}{
		{`obj.status.phase`, "Up"},
		{`self.spec.replicas + 1`, int64(3)},
		{`obj.spec.share * 2.0`, 1.0},
		{`obj.spec.replicas > 1.5`, true},
		{`null`, nil},
		{`7u`, int64(7)},
		{`b"ab"`, "YWI="},
		{`duration("90s")`, "90s"},
		{`timestamp("2026-01-02T03:04:05Z")`, "2026-01-02T03:04:05Z"},
		{`obj.spec.flags`, []any{"x", "y"}},
		{`{"status": "Healthy", "n": [1, {"a": obj.spec.flags[0]}]}`, map[string]any{"status": "Healthy", "n": []any{int64(1), map[string]any{"a": "x"}}}},
		{`obj.metadata.labels["app.kubernetes.io/name"]`, "shop"},
		{`obj.?status.?missing.orValue("none")`, "none"},
		{`obj.?status.?missing`, nil},
		{`obj.?status.?phase`, "Up"},
		{`has(obj.status.missing)`, false},
		{`condition(obj, 'Ready')`, map[string]any{"type": "Ready", "status": "True", "reason": "Fine", "message": "all is well"}},
		{`condition(obj, 'Stalled').message`, ""},
		{`condition(obj, 'None')`, nil},
		{`condition(obj, 'None') == null`, true},
		{`isTrue(obj, 'Ready') && !isTrue(obj, 'Stalled') && !isTrue(obj, 'None')`, true},
		{`isFalse(obj, 'Stalled') && !isFalse(obj, 'None')`, true},
		{`reason(obj, 'Ready') + message(obj, 'None')`, "Fine"},
		{`message(obj, 'Ready')`, "all is well"},
		{`isTrue(obj, 'Ready') ? health('Healthy') : health('Degraded', 'x')`, map[string]any{"status": "Healthy", "message": ""}},
		{`health('Degraded', message(obj, 'Ready'))`, map[string]any{"status": "Degraded", "message": "all is well"}},
		{`observed(obj)`, false},
		{`observed({"metadata": {"generation": 3}})`, true},
		{`observed({"metadata": {"generation": 3}, "status": {"observedGeneration": 3}})`, true},
		{`get(obj, 'status.phase', '')`, "Up"},
		{`get(obj, 'status.phase.deeper', 'none')`, "none"},
		{`get(obj, 'spec.replicas', 1) == 2`, true},
		{`get(obj, 'spec', {}).replicas`, int64(2)},
		{`isTrue(obj, 'Ready') ? 'Healthy' : 'Progressing'`, "Healthy"},
		{`obj.spec.flags.map(f, f.upperAscii()).join('+')`, "X+Y"},
		{`'a,b'.split(',')`, []any{"a", "b"}},
		{`' Ab '.trim().lowerAscii()`, "ab"},
		{`obj.spec.flags.join(', ')`, "x, y"},
		{`cel.bind(n, obj.spec.replicas, n * n)`, int64(4)},
	}
	for _, tt := range tests {
		p, err := Compile("test", tt.expr, Bounds{})
		if err != nil {
			t.Errorf("%s: %v", tt.expr, err)
			continue
		}
		if got, err := p.Eval(object()); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %#v, error %v, want %#v", tt.expr, got, err, tt.want)
		}
	}
}

func TestCompileSaysWhereAndWhat(t *testing.T) {
	tests := []struct{ expr, want string }{
		{``, "line 1, column"},
		{"obj.status\n  .phase ==", "line 2, column 12: Syntax error"},
		{`obj.kind == thing`, "line 1, column 13: undeclared reference to 'thing'"},
		{`condition(obj)`, "line 1, column 10: found no matching overload for 'condition'"},
		{strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200), "limit"},
		{strings.Repeat("1 + ", 10_000) + "1", "size exceeds"},
	}
	for _, tt := range tests {
		_, err := Compile("argocd-cm, key x", tt.expr, Bounds{})
		if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "at argocd-cm, key x: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40s: got %v, want it to hold %q", tt.expr, err, tt.want)
		}
	}
}

func TestEvalSaysWhereAndWhat(t *testing.T) {
	tests := []struct{ expr, want string }{
		{`obj.spec.missing.deeper`, "line 1, column 17: no such key: missing"},
		{"true &&\n  obj.status.nothing == 1", "line 2, column 13: no such key: nothing"},
		{`obj.kind + 1`, "no such overload"},
		{`condition('text', 'Ready')`, "its first argument is not an object"},
		{`{1: 2}`, "a key of its value is a int, not a string"},
		{`9223372036854775808u`, "does not fit"},
		{`0.0 / 0.0`, "not a number"},
		{`type(obj)`, "is no JSON"},
		{`cel.bind(l, 'x'.split('').map(i, obj.wide), [l, l, l])`, "too many parts"},
		{`obj.wide.join(', ')`, "an entry of the list is a int, not a string"},
		{`obj.wide.map(i, obj.long).join('')`, "longer than 1048576 bytes"},
	}
	for _, tt := range tests {
		p, err := Compile("argocd-cm, key x", tt.expr, Bounds{})
		if err != nil {
			t.Errorf("%s: %v", tt.expr, err)
			continue
		}
		if got, err := p.Eval(object()); !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), tt.want) ||
			!strings.Contains(err.Error(), "at argocd-cm, key x: ") {
			t.Errorf("%s: got %v and error %v, want an error that holds %q", tt.expr, got, err, tt.want)
		}
	}
}

func TestEvalIsBounded(t *testing.T) {
	doubled := `"abcdefgh"`
	for range 12 {
		doubled = "cel.bind(s, " + doubled + ", s + s + s + s + s + s + s + s)"
	}
	nested := "obj.wide.all(a, obj.wide.all(b, obj.wide.all(c, a + b + c >= 0)))"
	tests := []struct {
		reason, expr, want string
		bounds             Bounds
	}{
		{"a long loop", nested, "more steps than are allowed", Bounds{Time: time.Hour}},
		{"a string that doubles", doubled, "more steps than are allowed", Bounds{Time: time.Hour}},
		{"long texts", "cel.bind(s, '" + strings.Repeat("x", 50) + "', cel.bind(t, obj.wide.map(i, s).join(''), obj.wide.map(i, t.upperAscii())))", "more steps than are allowed", Bounds{Time: time.Hour}},
		{"many parts", "cel.bind(s, '" + strings.Repeat("x", 8000) + "', obj.wide.map(i, obj.wide.map(j, s.split(''))))", "more steps than are allowed", Bounds{Time: time.Hour}},
		{"many lists", "obj.wide.map(i, obj.wide.map(j, obj.wide))", "more steps than are allowed", Bounds{Time: time.Hour}},
		{"time", nested, "it takes longer than 1ns", Bounds{Cost: 1 << 40, Time: 1}},
	}
	for _, tt := range tests {
		p, err := Compile("test", tt.expr, tt.bounds)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		if got, err := p.Eval(object()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %.100v and error %v, want %q", tt.reason, got, err, tt.want)
		}
	}
}

func TestProgramsAreSharedAndLeaveTheObjectAlone(t *testing.T) {
	p, err := Compile("test", `{"status": isTrue(obj, 'Ready') ? 'Healthy' : 'Progressing', "message": obj.status.conditions.size() > 2 ? 'three' : obj.x}`, Bounds{Time: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	shared := object()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got, err := p.Eval(shared); err != nil || got.(map[string]any)["status"] != "Healthy" {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	if !reflect.DeepEqual(shared, object()) {
		t.Errorf("the object was changed: %v", shared)
	}
}

func FuzzEval(f *testing.F) {
	f.Add(`obj.status.phase`)
	f.Add(`{"status": isTrue(obj, 'Ready') ? 'Healthy' : 'Degraded', "message": condition(obj, 'Ready').message}`)
	f.Add(`obj.wide.map(i, obj.spec.flags.map(f, f + string(i)))`)
	f.Add(`obj.?spec.?x[?'y'].orValue(get(obj, 'a.b', [1u, 2.5, b"x"]))`)
	f.Fuzz(func(t *testing.T, expr string) {
		p, err := Compile("fuzz", expr, Bounds{Cost: 100_000})
		if err != nil {
			if p != nil || !strings.HasPrefix(err.Error(), "cannot compile the CEL expression at fuzz: ") {
				t.Fatalf("got %v and error %v", p, err)
			}
			return
		}
		shared := object()
		value, err := p.Eval(shared)
		if err != nil && value != nil {
			t.Fatalf("got both %v and error %v", value, err)
		}
		if !reflect.DeepEqual(shared, object()) {
			t.Fatalf("the object was changed: %v", shared)
		}
	})
}

func BenchmarkEval(b *testing.B) {
	p, err := Compile("test", `isTrue(obj, 'Ready') && observed(obj) ? {'status': 'Healthy', 'message': message(obj, 'Ready')} : {'status': 'Progressing'}`, Bounds{})
	if err != nil {
		b.Fatal(err)
	}
	obj := object()
	for b.Loop() {
		if _, err := p.Eval(obj); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile("test", `isTrue(obj, 'Ready') ? 'Healthy' : 'Progressing'`, Bounds{}); err != nil {
			b.Fatal(err)
		}
	}
}
