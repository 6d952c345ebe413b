// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

// volatile are the template functions whose answer differs from call to call.
var volatile = []string{
	"randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt", "shuffle", "uuidv4",
	"genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey",
	"bcrypt", "htpasswd", "encryptAES", "now", "ago",
}

// dated are the functions that take the time of now if they are given none, with the index of the argument.
var dated = map[string]int{"date": 1, "htmlDate": 0, "dateInZone": 1, "date_in_zone": 1, "htmlDateInZone": 0}

// Names of the functions that are put around each template, so that it is known which one runs.
const (
	enterName = "bowlineEnterTemplate"
	leaveName = "bowlineLeaveTemplate"
)

// watcher knows which template runs, and notes the volatile functions it calls.
type watcher struct {
	job     *job
	running []string // the names of the templates that run, the innermost last
}

func (w *watcher) enter(name string) string {
	w.running = append(w.running, name)
	return ""
}

func (w *watcher) leave() string {
	if len(w.running) > 0 {
		w.running = w.running[:len(w.running)-1]
	}
	return ""
}

// functions returns the functions that take the place of Helm's.
func (w *watcher) functions() template.FuncMap {
	originals := sprig.TxtFuncMap()
	out := template.FuncMap{
		enterName: w.enter, leaveName: w.leave,
		"lookup": w.lookup, "keys": keys, "values": sortedValues,
	}
	for _, name := range volatile {
		out[name] = w.watched(name, originals[name], nil)
	}
	for name, index := range dated {
		out[name] = w.watched(name, originals[name], func(args []reflect.Value) bool { return !isTime(args[index].Interface()) })
	}
	out["durationRound"] = w.watched("durationRound", originals["durationRound"], func(args []reflect.Value) bool {
		_, ok := args[0].Interface().(time.Time)
		return ok
	})
	return out
}

// isTime reports whether a value is one that the date functions take for a time: for all others they take now.
func isTime(v any) bool {
	switch v.(type) {
	case time.Time, *time.Time, int64, int, int32:
		return true
	}
	return false
}

// watched returns a function like the one given that notes its calls, or those for which when says so.
func (w *watcher) watched(name string, function any, when func([]reflect.Value) bool) any {
	f := reflect.ValueOf(function)
	return reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
		if when == nil || when(args) {
			w.note(name)
		}
		if f.Type().IsVariadic() {
			return f.CallSlice(args)
		}
		return f.Call(args)
	}).Interface()
}

func (w *watcher) note(function string) {
	if file, ok := w.file(); ok {
		w.job.in.Trace.Volatile(function, file)
		w.job.warn("%s calls %s, whose answer is another one each time: what it renders is kept while nothing else changes, and changes when anything does; "+
			"let the values name a Secret that exists, or set the value itself", file, function)
	}
}

// lookup answers as it does for `helm template`, which has no cluster.
func (w *watcher) lookup(_, _, _, _ string) (map[string]any, error) {
	if file, ok := w.file(); ok {
		w.job.warn("%s calls lookup, which finds nothing when a chart is rendered without a cluster: what it renders is as if the object did not exist", file)
	}
	return map[string]any{}, nil
}

// file returns where the template lies that runs; ok is false if nobody gets to see what it renders.
func (w *watcher) file() (at string, ok bool) {
	if len(w.running) == 0 {
		return w.job.path(w.job.release.Dir), true
	}
	return w.job.places[w.running[len(w.running)-1]], !strings.HasSuffix(w.running[0], notesSuffix)
}

// keys and sortedValues answer in the order of keys: Helm's own answer in any order, and so differently each time.
func keys(dicts ...map[string]any) []string {
	out := []string{}
	for _, dict := range dicts {
		out = append(out, slices.Sorted(maps.Keys(dict))...)
	}
	return out
}

func sortedValues(dict map[string]any) []any {
	out := []any{}
	for _, key := range slices.Sorted(maps.Keys(dict)) {
		out = append(out, dict[key])
	}
	return out
}
