// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/bowline-cd/bowline/internal/object"
)

// A render that calls functions whose answer nobody can repeat is rendered twice. Fields that differ are volatile. A
// function that may well give the same answer twice (the time of day, a small random number) hides which fields it went
// into: then every object of the file that calls it is volatile as a whole, or every object of the source if that file
// gives none by itself.

// telling are the functions that as good as never give the same answer twice.
var telling = map[string]bool{
	"randAlphaNum": true, "randAlpha": true, "randNumeric": true, "randAscii": true, "randBytes": true, "uuidv4": true,
	"genPrivateKey": true, "genCA": true, "genCAWithKey": true, "genSelfSignedCert": true, "genSelfSignedCertWithKey": true,
	"genSignedCert": true, "genSignedCertWithKey": true, "htpasswd": true, "bcrypt": true, "encryptAES": true,
}

// whole is the JSON pointer of a whole object.
const whole = ""

// compareWithSecond renders once more and notes in r which fields are volatile.
func (t *attempt) compareWithSecond(ctx context.Context, r *rendered) {
	var second []rawManifest
	out, err := t.once(ctx)
	if err == nil && len(out.Needs) == 0 {
		second, err = encode(out.Manifests)
	}
	if err != nil || len(second) != len(r.manifests) {
		r.allVolatile("") // what differs cannot be told
		return
	}
	for i := range r.manifests {
		r.manifests[i].volatile = pointers(r.manifests[i].json, second[i].json)
	}
	for _, call := range r.used.Volatile {
		function, file, _ := strings.Cut(strings.TrimSuffix(call, ")"), " (")
		if !telling[function] && !r.allVolatile(file) {
			r.allVolatile("")
		}
	}
}

// allVolatile makes the objects of a file volatile as a whole, or all if file is "". It reports whether there are any.
func (r *rendered) allVolatile(file string) (found bool) {
	for i := range r.manifests {
		if m := &r.manifests[i]; file == "" || m.origin.File == file {
			m.volatile, found = []string{whole}, true
		}
	}
	return found
}

// pointers returns the JSON pointers of the values that differ, sorted; lists of different length differ as a whole.
func pointers(a, b []byte) []string {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return []string{whole}
	}
	var out []string
	differences(x, y, whole, &out)
	return out
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

func differences(a, b any, at string, out *[]string) {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			break
		}
		keys := map[string]struct{}{}
		for k := range x {
			keys[k] = struct{}{}
		}
		for k := range y {
			keys[k] = struct{}{}
		}
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			v, inX := x[k]
			w, inY := y[k]
			p := at + "/" + escape.Replace(k)
			if inX != inY {
				*out = append(*out, p)
				continue
			}
			differences(v, w, p, out)
		}
		return
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			break
		}
		for i := range x {
			differences(x[i], y[i], at+"/"+strconv.Itoa(i), out)
		}
		return
	}
	if !reflect.DeepEqual(a, b) {
		*out = append(*out, at)
	}
}

// Made names what a state was made from and what came of it, for whoever applies it to keep: see Unproven.
func (s *State) Made() string { return string(s.Inputs) + "." + string(s.Digest) }

// Unproven returns the fields of which nobody can say that they are meant to differ from what was applied last, as JSON
// pointers by object. made is what Made said of the state that was applied last.
//
// It is empty when nothing volatile is in the state, when its inputs are others than then (then a new value is what was
// asked for), and when it is still the very output that was applied. Of an object that is volatile as a whole it names
// every field that the source gives it. What an object is called is never among them: under another name it is another
// object.
func (s *State) Unproven(made string) map[object.Key][]string {
	inputs, digest, ok := strings.Cut(made, ".")
	if !ok || inputs != string(s.Inputs) || digest == string(s.Digest) {
		return nil
	}
	out := map[object.Key][]string{}
	for _, o := range s.Objects {
		fields := o.Volatile
		if slices.Contains(fields, whole) {
			fields = nil
			leaves(o.Rendered().Object, whole, &fields)
		}
		fields = slices.DeleteFunc(slices.Clone(fields), func(p string) bool { return slices.Contains(identity, p) })
		if len(fields) > 0 {
			out[o.Key] = fields
		}
	}
	return out
}

// identity are the fields that say which object it is.
var identity = []string{"/apiVersion", "/kind", "/metadata/name", "/metadata/namespace", "/metadata/generateName"}

// leaves gathers the pointers of all values that hold no others.
func leaves(v any, at string, out *[]string) {
	switch x := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			leaves(x[k], at+"/"+escape.Replace(k), out)
		}
		if len(x) > 0 {
			return
		}
	case []any:
		for i := range x {
			leaves(x[i], at+"/"+strconv.Itoa(i), out)
		}
		if len(x) > 0 {
			return
		}
	}
	*out = append(*out, at)
}
