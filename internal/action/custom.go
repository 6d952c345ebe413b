// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/script/lua"
	"github.com/bowline-cd/bowline/internal/settings"
)

// customized are users' own actions for the kinds that match.
type customized struct {
	matches  func(group, kind string) bool
	merge    bool // bundled actions stay
	discover func(obj *unstructured.Unstructured) ([]offer, error)
}

// definitions is the form of resource.customizations.actions.<group>_<Kind>.
type definitions struct {
	Discovery   string `json:"discovery.lua"`
	Definitions []struct {
		Name   string `json:"name"`
		Action string `json:"action.lua"`
	} `json:"definitions"`
	Merge bool `json:"mergeBuiltinActions"`
}

// compile reads users' actions. With an error it returns ones that say that error.
func compile(c settings.Customization) (customized, error) {
	out := customized{}
	matches, err := c.Matcher()
	if err != nil { // the settings let no such pattern through
		matches = func(group, kind string) bool { return group == c.Group && kind == c.Kind }
	}
	out.matches = matches
	out.discover = func(*unstructured.Unstructured) ([]offer, error) { return nil, err }
	if err != nil {
		return out, err
	}
	var in definitions
	if err = yaml.Unmarshal([]byte(c.Actions), &in); err != nil {
		err = fault.Wrap(fault.Mistake, "use", "the setting "+c.Where, err, "mend the YAML")
		return out, err
	}
	out.merge = in.Merge
	programs := map[string]*lua.Program{}
	for _, d := range in.Definitions {
		if programs[d.Name], err = lua.Compile(d.Action, c.Where+", action "+d.Name, false); err != nil {
			return out, err
		}
	}
	var discovery *lua.Program
	if strings.TrimSpace(in.Discovery) != "" {
		if discovery, err = lua.Compile(in.Discovery, c.Where+", discovery.lua", false); err != nil {
			return out, err
		}
	}
	out.discover = func(obj *unstructured.Unstructured) ([]offer, error) {
		return offered(c.Where, discovery, programs, obj)
	}
	return out, nil
}

// offered asks users' discovery; without one every action is offered.
func offered(where string, discovery *lua.Program, programs map[string]*lua.Program, obj *unstructured.Unstructured) ([]offer, error) {
	found := map[string]any{}
	for name := range programs {
		found[name] = nil
	}
	if discovery != nil {
		value, err := discovery.Run(context.Background(), lua.Default, globals(obj, nil))
		if err != nil {
			return nil, err
		}
		var ok bool
		if found, ok = value.(map[string]any); !ok {
			return nil, fault.New(fault.Mistake, "use", "what the Lua program returned", where+", discovery.lua",
				fmt.Sprintf("it is no table of actions by name but a %T", value), "return a table such as {restart = {}}")
		}
	}
	var offers []offer
	for name, says := range found {
		action, err := described(name, says)
		if err != nil {
			return nil, &fault.Error{Kind: fault.Mistake, Op: "use", Thing: "action " + name, Where: where + ", discovery.lua", Err: err}
		}
		program := programs[name]
		offers = append(offers, offer{action, func(in input) ([]Impact, error) {
			if program == nil {
				return nil, fmt.Errorf("%s: discovery.lua offers it, but definitions has no such action", where)
			}
			return run(program, in)
		}})
	}
	return offers, nil
}

// described reads what a discovery says of one action. Anything but a table of names says nothing.
func described(name string, says any) (Action, error) {
	a := Action{Name: name}
	fields, ok := says.(map[string]any)
	if !ok {
		return a, nil
	}
	for field, into := range map[string]*string{"displayName": &a.DisplayName, "iconClass": &a.IconClass} {
		if value, given := fields[field]; given {
			if *into, ok = value.(string); !ok {
				return a, fmt.Errorf("%s is no text but a %T", field, value)
			}
		}
	}
	if value, given := fields["disabled"]; given {
		if a.Disabled, ok = value.(bool); !ok {
			return a, fmt.Errorf("disabled is neither true nor false but a %T", value)
		}
	}
	params, _ := fields["params"].([]any)
	for _, p := range params {
		fields, ok := p.(map[string]any)
		if !ok || fields["name"] == nil {
			return a, errors.New("a parameter has no name")
		}
		param := Param{Name: fmt.Sprint(fields["name"])}
		if fields["type"] != nil {
			param.Type = fmt.Sprint(fields["type"])
		}
		if fields["default"] != nil {
			param.Default = fmt.Sprint(fields["default"])
		}
		a.Params = append(a.Params, param)
	}
	return a, nil
}

func globals(obj *unstructured.Unstructured, params map[string]string) map[string]any {
	if params == nil {
		params = map[string]string{}
	}
	return map[string]any{"obj": obj.Object, "actionParams": params}
}

// run runs an action's program. It returns the object patched, or a list of {operation, resource}.
func run(program *lua.Program, in input) ([]Impact, error) {
	bounds := lua.Bounds{Now: func() time.Time { return in.now }}
	value, err := program.Run(context.Background(), bounds, globals(in.obj, in.params))
	if err != nil {
		return nil, err
	}
	switch v := value.(type) {
	case map[string]any:
		return []Impact{{Operation: Patch, Object: &unstructured.Unstructured{Object: v}}}, nil
	case []any:
		var impacts []Impact
		for i, item := range v {
			fields, _ := item.(map[string]any)
			operation, _ := fields["operation"].(string)
			resource, ok := fields["resource"].(map[string]any)
			if !ok {
				return nil, fmt.Errorf("item %d of what it returned has no resource", i+1)
			}
			impacts = append(impacts, Impact{Operation: Operation(operation), Object: &unstructured.Unstructured{Object: resource}})
		}
		return impacts, nil
	}
	return nil, fmt.Errorf("it returned neither an object nor a list of {operation, resource} but a %T", value)
}
