// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// throughSocket sends an error of a render as a process does, and returns what its caller gets.
func throughSocket(t *testing.T, err error, kept ...error) error {
	t.Helper()
	raw, jsonErr := json.Marshal(toFailure(err))
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	var f *failure
	if jsonErr := json.Unmarshal(raw, &f); jsonErr != nil {
		t.Fatal(jsonErr)
	}
	return toError(f, kept)
}

// An error keeps its text and its kind, and what callers look for in it.
func TestErrorsKeepTheirKind(t *testing.T) {
	escape := &tree.EscapeError{Link: "a", Target: "/etc"}
	mistake := &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "it", Where: "a.yaml:3", Err: errors.New("cause"), Fix: "mend it"}
	for _, err := range []error{
		errors.New("plain"),
		tree.ErrAbsent, tree.ErrTooLarge, fmt.Errorf("a: %w", tree.ErrLinks), fmt.Errorf("b: %w", escape),
		mistake,
		fmt.Errorf("around: %w", mistake),
		errors.Join(mistake, fault.New(fault.Stalled, "do", "", "", "x", "")),
		&fault.Error{Kind: fault.Forbidden, Op: "render", Thing: "it", Err: fmt.Errorf("c: %w", tree.ErrAbsent)},
		&fault.Error{Kind: fault.Bug, Op: "render", Thing: "without a cause"},
	} {
		got := throughSocket(t, err)
		if got.Error() != err.Error() || fault.KindOf(got) != fault.KindOf(err) {
			t.Errorf("%v (%s) becomes %v (%s)", err, fault.KindOf(err), got, fault.KindOf(got))
		}
		for _, known := range []error{tree.ErrAbsent, tree.ErrTooLarge, tree.ErrLinks} {
			if errors.Is(got, known) != errors.Is(err, known) {
				t.Errorf("%v: is %v: %v", err, known, errors.Is(got, known))
			}
		}
		var want, is *tree.EscapeError
		if errors.As(err, &want) != errors.As(got, &is) || want != nil && *want != *is {
			t.Errorf("%v: %v, want %v", err, is, want)
		}
		var judged *fault.Error
		if errors.As(err, &judged) {
			var other *fault.Error
			if !errors.As(got, &other) || other.Op != judged.Op || other.Thing != judged.Thing || other.Where != judged.Where || other.Fix != judged.Fix {
				t.Errorf("%v: %+v, want %+v", err, other, judged)
			}
		}
	}
}

// An error of a call is to tools what it is to the caller, and comes back as the caller's own.
func TestErrorsOfCalls(t *testing.T) {
	missing := &notFetched{"a/b"}
	for _, original := range []error{
		errors.New("disk"), missing, fmt.Errorf("x: %w", missing), fmt.Errorf("x: %w", tree.ErrTooLarge), &tree.EscapeError{Link: "l", Target: "/t"}, fmt.Errorf("x: %w", tree.ErrLinks),
	} {
		raw, err := json.Marshal(toCallFailure(original, 1))
		if err != nil {
			t.Fatal(err)
		}
		var f failure
		if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatal(err)
		}
		inside := toCallError(f)
		if inside.Error() != original.Error() || errors.Is(inside, tree.ErrTooLarge) != errors.Is(original, tree.ErrTooLarge) || errors.Is(inside, tree.ErrLinks) != errors.Is(original, tree.ErrLinks) {
			t.Errorf("%v is %v to tools", original, inside)
		}
		var m, n interface{ MissingPath() string }
		if errors.As(original, &m) != errors.As(inside, &n) || m != nil && m.MissingPath() != n.MissingPath() {
			t.Errorf("%v is %v to tools", original, inside)
		}
		for _, told := range []error{inside, fmt.Errorf("around: %w", inside), fault.Wrap(fault.Mistake, "read", "it", inside, ""), errors.Join(errors.New("x"), inside)} {
			if back := throughSocket(t, told, original); !errors.Is(back, original) {
				t.Errorf("%v comes back as %v", told, back)
			}
		}
	}
}

// endless is an error that wraps itself for ever, wide one that wraps very many.
type endless struct{}

func (endless) Error() string { return "endless" }
func (endless) Unwrap() error { return endless{} }

func TestHostileErrors(t *testing.T) {
	if got := throughSocket(t, endless{}); got.Error() != "endless" {
		t.Errorf("got %v", got)
	}
	wide := make([]error, 10_000)
	for i := range wide {
		wide[i] = errors.New(strings.Repeat("x", 100))
	}
	if got := throughSocket(t, errors.Join(wide...)); len(got.Error()) > maxFailureText+10 {
		t.Errorf("%d bytes of text", len(got.Error()))
	}
	if got := throughSocket(t, errors.New("a\xffb")); got.Error() != "a\uFFFDb" {
		t.Errorf("got %q", got)
	}
}

// A job arrives as it was sent.
func TestJob(t *testing.T) {
	in := chartInput(chart(nil))
	in.Index, in.Where, in.Build = 2, "spec.sources[2]", map[string]string{"A": "b"}
	in.Refs = map[string]tree.Tree{"z": tree.Memory(nil), "a": chart(map[string]string{"x": "y"})}
	in.Remotes = []render.Remote{{Need: render.Need{Kind: render.NeedGit, URL: "u", Revision: "r", Where: "w"}, Pin: "p", Tree: tree.Memory(nil)}}
	in.Options = render.Options{KustomizeBuildOptions: "--x", ValuesFileSchemes: []string{"https"}, HelmOff: true}
	in.Limits = render.Limits{Time: time.Second}.WithDefaults()
	sent, mounts := newJob(v1alpha1.ApplicationSourceTypeHelm, in)
	raw, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	var got job
	if err := json.Unmarshal(raw, &got); err != nil || !reflect.DeepEqual(got, sent) {
		t.Errorf("got %+v, %v\nsent %+v", got, err, sent)
	}
	out, ok := got.input(&calls{})
	if !ok || len(mounts) != 4 || out.Refs["a"].Root() != in.Refs["a"].Root() || out.Remotes[0].Pin != "p" || out.Cluster == nil {
		t.Errorf("%+v", out)
	}
	got.Roots = got.Roots[1:]
	if _, ok := got.input(&calls{}); ok {
		t.Error("a job that lacks a mount is taken")
	}
}

// conn is a socket whose other end said all it says.
type conn struct {
	io.Reader
	io.Writer
}

func frameOf(k kind, body string) []byte {
	var out bytes.Buffer
	_ = writeFrame(&out, k, append(newFrame(), body...))
	return out.Bytes()
}

// Whatever a process says: no panic, no more than the limits allow, and objects only if all of it is well.
func FuzzSession(f *testing.F) {
	object := `{"apiVersion":"v1","kind":"X","metadata":{"name":"a"}}`
	objects := string(appendText(append(appendText(nil, "a.yaml"), 1), object))
	begun := string(frameOf(begunFrame, ""))
	f.Add([]byte(begun + string(frameOf(objectsFrame, objects)) + string(frameOf(resultFrame, `{"Type":"Helm","Used":{"Build":["A"]}}`))))
	f.Add([]byte(begun + string(frameOf(callFrame, "\x03\x00\x06a.yaml\x01\x01b")) + string(frameOf(resultFrame, `{"Failure":{"known":1}}`))))
	f.Add([]byte(begun + string(frameOf(callFrame, "\x01\x00\x01a")) + string(frameOf(callFrame, "\x02\x00\x00")) + string(frameOf(callFrame, "\x04")) + string(frameOf(callFrame, "\x05"))))
	f.Add([]byte(begun + string(frameOf(resultFrame, `{"Needs":[{"Kind":"git","URL":"x"}],"Failure":{"fault":{"Kind":99},"causes":[{"escape":{"Link":"a"}}]}}`))))
	f.Fuzz(func(t *testing.T, said []byte) {
		in := render.Input{
			Tree: tree.Memory(map[string]tree.MemoryFile{"a.yaml": {Content: "a"}}), Build: map[string]string{"A": ""}, Cluster: cluster{}, Trace: &render.Trace{},
			Limits: render.Limits{Objects: 3, OutputBytes: 1000, Files: 5}.WithDefaults(),
		}
		w := newWatch(clocktesting.NewFakeClock(time.Unix(0, 0)), boundsOf(in), func() (int64, bool) { return 0, false }, func(error) {})
		out, err := newSession(context.Background(), v1alpha1.ApplicationSourceTypeHelm, in, conn{bytes.NewReader(said), io.Discard}, w).run()
		w.end()
		if err != nil && (len(out.Manifests) > 0 || len(out.Needs) > 0) {
			t.Errorf("an error with objects: %v", err)
		}
		if len(out.Manifests) > 3 || len(out.Manifests) > 0 && len(out.Needs) > 0 || len(out.Used.Build) > 1 {
			t.Errorf("%+v", out)
		}
	})
}

// Whatever comes as a job or an answer: no panic in a process.
func FuzzProcess(f *testing.F) {
	ok := string([]byte{byte(okStatus)})
	for _, body := range []string{
		"", ok, string([]byte{byte(absentStatus)}), string([]byte{byte(failedStatus)}) + `{"text":"x","known":1,"means":"links"}`,
		ok + string(appendEntry(nil, tree.Entry{Name: "a", Mode: tree.File, ID: "i", Size: 3})), ok + "\x01" + string(appendEntry(nil, tree.Entry{Name: "a"})), ok + "\xff\xff\xff\xff\x7f",
		`{"Type":"Helm","Roots":["a","b"],"Refs":["x"]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(_ *testing.T, body []byte) {
		ctx := context.Background()
		answers := bytes.Repeat(frameOf(answerFrame, string(body)), 8)
		c := &calls{conn: conn{bytes.NewReader(answers), io.Discard}, broken: func(error) {}}
		m := newMount(c, 0, "")
		if list, err := m.List(ctx, ""); err == nil && len(list) > len(body) {
			panic("more entries than bytes")
		}
		for range 3 {
			_, _ = m.Lookup(ctx, "a")
			_, _ = m.Read(ctx, "a", 10)
		}
		_, _ = facts{c}.APIVersions(ctx)
		var j job
		if json.Unmarshal(body, &j) == nil {
			_, _ = j.input(c)
		}
	})
}
