// SPDX-License-Identifier: Apache-2.0

package health

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/script/lua"
	"github.com/bowline-cd/bowline/internal/settings"
)

// CompileOverrides returns users' checks, in the order in which their settings count: of several for a kind the first.
// The errors name those that do not compile; objects of their kinds are Unknown and say why, all others are judged as if
// nothing were wrong. It returns nil if there are none.
func CompileOverrides(custom []settings.Customization) (Overrides, []error) {
	out := &overrides{}
	var errs []error
	for _, c := range custom {
		if c.HealthCEL == "" && c.HealthLua == "" {
			continue
		}
		matches, err := c.Matcher()
		if err != nil { // the settings let no such pattern through
			errs = append(errs, fault.Wrap(fault.Mistake, "use", "the pattern of "+c.Where, err, "correct the pattern"))
			continue
		}
		check, err := compileCheck(c)
		if err != nil {
			errs = append(errs, err)
			check = func(*unstructured.Unstructured) (Status, error) { return Status{}, err }
		}
		out.list = append(out.list, override{matches, check})
	}
	if len(out.list) == 0 {
		return nil, errs
	}
	return out, errs
}

func compileCheck(c settings.Customization) (Check, error) {
	if c.HealthCEL != "" {
		return CELCheck(c.Where, c.HealthCEL)
	}
	return LuaCheck(c.Where, c.HealthLua, c.OpenLibs != nil && *c.OpenLibs)
}

// LuaCheck returns the check that a Lua program describes, as Argo CD knows them: it sees the object as obj and returns a
// table with the verdict's word as status and, if there is more to say, a sentence as message.
//
// where says where the program stands, for messages. The error is a fault.Mistake that names the line. A check fails, and
// the object is Unknown, if the program does or if what it returns is no verdict.
func LuaCheck(where, source string, openLibs bool) (Check, error) {
	program, err := lua.Compile(source, where, openLibs)
	if err != nil {
		return nil, err
	}
	return func(obj *unstructured.Unstructured) (Status, error) {
		value, err := program.Run(context.Background(), lua.Default, map[string]any{"obj": obj.Object, "actionParams": map[string]string{}})
		if err != nil {
			return Status{}, err
		}
		status, err := StatusOf(value)
		if err != nil {
			return Status{}, &fault.Error{Kind: fault.Mistake, Op: "use", Thing: "what the Lua program returned", Where: where, Err: err}
		}
		return status, nil
	}, nil
}

// overrides are users' checks. Safe for concurrent use.
type overrides struct {
	list  []override
	known sync.Map // schema.GroupKind to Check, nil for none: patterns are not matched for each object
}

type override struct {
	matches func(group, kind string) bool
	check   Check
}

// Health implements Overrides.
func (o *overrides) Health(gk schema.GroupKind) (Check, bool) {
	if known, ok := o.known.Load(gk); ok {
		check, _ := known.(Check)
		return check, check != nil
	}
	var found Check
	for _, candidate := range o.list {
		if candidate.matches(gk.Group, gk.Kind) {
			found = candidate.check
			break
		}
	}
	o.known.Store(gk, found)
	return found, found != nil
}
