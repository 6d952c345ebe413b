// SPDX-License-Identifier: Apache-2.0

package cel

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// functions are those that make rules about objects short. Each takes any object with the fields it reads, and misses
// nothing by an error: what is not there is null, "" or false.
//
//	condition(obj, 'Ready')            the entry of status.conditions of that type, with type, status, reason and
//	                                   message ("" where absent); null if there is none
//	isTrue(obj, 'Ready'), isFalse(…)   whether there is such an entry with status "True", "False"
//	reason(obj, 'Ready'), message(…)   of that entry; "" if there is none
//	observed(obj)                      whether status.observedGeneration, where there is one, is metadata.generation
//	get(obj, 'status.phase', '')       the value at a path of field names; the last argument if there is none
//	health('Degraded', 'why')          a verdict as a map with status and message; the message may be left out. Both
//	                                   branches of a condition have to be of one type, and this is one
func functions() []cel.EnvOption {
	return []cel.EnvOption{
		ofCondition("condition", cel.DynType, whole),
		ofCondition("isTrue", cel.BoolType, func(c map[string]any) any { return c["status"] == "True" }),
		ofCondition("isFalse", cel.BoolType, func(c map[string]any) any { return c["status"] == "False" }),
		ofCondition("reason", cel.StringType, func(c map[string]any) any { return word(c, "reason") }),
		ofCondition("message", cel.StringType, func(c map[string]any) any { return word(c, "message") }),
		cel.Function("observed", cel.Overload("observed_object", []*cel.Type{cel.DynType}, cel.BoolType, cel.UnaryBinding(observed))),
		cel.Function("health",
			cel.Overload("health_status", []*cel.Type{cel.StringType}, verdictType, cel.UnaryBinding(func(status ref.Val) ref.Val { return verdict(status, types.String("")) })),
			cel.Overload("health_status_message", []*cel.Type{cel.StringType, cel.StringType}, verdictType, cel.BinaryBinding(verdict))),
		cel.Function("get", cel.Overload("get_object_path_default", []*cel.Type{cel.DynType, cel.StringType, cel.DynType}, cel.DynType, cel.FunctionBinding(get))),
	}
}

var verdictType = cel.MapType(cel.StringType, cel.StringType)

func verdict(status, message ref.Val) ref.Val {
	word, ok := status.(types.String)
	text, isText := message.(types.String)
	if !ok || !isText {
		return types.NoSuchOverloadErr()
	}
	return types.DefaultTypeAdapter.NativeToValue(map[string]string{"status": string(word), "message": string(text)})
}

// ofCondition is a function of an object and a type of condition. of gets the condition, nil if there is none.
func ofCondition(name string, result *cel.Type, of func(condition map[string]any) any) cel.EnvOption {
	call := func(obj, kind ref.Val) ref.Val {
		wanted, ok := kind.(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(kind)
		}
		fields, ok := native(obj).(map[string]any)
		if !ok {
			return types.NewErr("%s: its first argument is not an object", name)
		}
		return types.DefaultTypeAdapter.NativeToValue(of(conditionOf(fields, string(wanted))))
	}
	return cel.Function(name, cel.Overload(name+"_object_type", []*cel.Type{cel.DynType, cel.StringType}, result, cel.BinaryBinding(call)))
}

// native returns the object behind a value, without copying it if it came from outside; nil for what is no object.
func native(v ref.Val) any {
	if fields, ok := v.Value().(map[string]any); ok {
		return fields
	}
	fields, err := plain(v) // written in the expression itself
	if err != nil {
		return nil
	}
	return fields
}

func conditionOf(obj map[string]any, kind string) map[string]any {
	status, _ := obj["status"].(map[string]any)
	list, _ := status["conditions"].([]any)
	for _, entry := range list {
		if c, ok := entry.(map[string]any); ok && c["type"] == kind {
			return c
		}
	}
	return nil
}

// whole returns a condition with all fields that rules ask for, so that they need not ask whether they are there.
func whole(c map[string]any) any {
	if c == nil {
		return nil
	}
	return map[string]any{"type": word(c, "type"), "status": word(c, "status"), "reason": word(c, "reason"), "message": word(c, "message")}
}

func word(c map[string]any, field string) string {
	s, _ := c[field].(string)
	return s
}

func observed(arg ref.Val) ref.Val {
	obj, ok := native(arg).(map[string]any)
	if !ok {
		return types.NewErr("observed: its argument is not an object")
	}
	status, _ := obj["status"].(map[string]any)
	seen, ok := integer(status["observedGeneration"])
	if !ok {
		return types.True
	}
	metadata, _ := obj["metadata"].(map[string]any)
	generation, _ := integer(metadata["generation"])
	return types.Bool(seen >= generation)
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case float64:
		return int64(n), true
	case int:
		return int64(n), true
	}
	return 0, false
}

func get(args ...ref.Val) ref.Val {
	path, ok := args[1].(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(args[1])
	}
	var at = native(args[0])
	for _, field := range strings.Split(string(path), ".") {
		fields, ok := at.(map[string]any)
		if !ok {
			return args[2]
		}
		if at, ok = fields[field]; !ok || at == nil {
			return args[2]
		}
	}
	return types.DefaultTypeAdapter.NativeToValue(at)
}
