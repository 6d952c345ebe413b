// SPDX-License-Identifier: Apache-2.0

package cel

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// maxText bounds the text that one function makes, in bytes.
const maxText = 1 << 20

// textFunctions are those about text that make messages readable, by the names that the library's own extension has for
// them:
//
//	['a', 'b'].join(', ')    the entries of a list of text, with something between them
//	'a,b'.split(',')         the other way round
//	'Ready'.lowerAscii()     in small letters; upperAscii: in capital ones
//	' a '.trim()             without the blanks around it
func textFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Function("join", cel.MemberOverload("list_join_string", []*cel.Type{cel.ListType(cel.DynType), cel.StringType}, cel.StringType, cel.BinaryBinding(join))),
		cel.Function("split", cel.MemberOverload("string_split_string", []*cel.Type{cel.StringType, cel.StringType}, cel.ListType(cel.StringType), cel.BinaryBinding(split))),
		ofText("lowerAscii", strings.ToLower), ofText("upperAscii", strings.ToUpper), ofText("trim", strings.TrimSpace),
	}
}

func ofText(name string, of func(string) string) cel.EnvOption {
	call := func(v ref.Val) ref.Val {
		s, ok := v.(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(v)
		}
		return types.String(of(string(s)))
	}
	return cel.Function(name, cel.MemberOverload("string_"+name, []*cel.Type{cel.StringType}, cel.StringType, cel.UnaryBinding(call)))
}

func join(list, between ref.Val) ref.Val {
	entries, ok := list.(traits.Lister)
	sep, isText := between.(types.String)
	if !ok || !isText {
		return types.NoSuchOverloadErr()
	}
	var parts []string
	size := 0
	for it := entries.Iterator(); it.HasNext() == types.True; {
		entry := it.Next()
		part, ok := entry.(types.String)
		if !ok {
			return types.NewErr("join: an entry of the list is a %s, not a string", entry.Type().TypeName())
		}
		if size += len(part) + len(sep); size > maxText {
			return types.NewErr("join: the text becomes longer than %d bytes", maxText)
		}
		parts = append(parts, string(part))
	}
	return types.String(strings.Join(parts, string(sep)))
}

func split(whole, between ref.Val) ref.Val {
	text, ok := whole.(types.String)
	sep, isText := between.(types.String)
	if !ok || !isText {
		return types.NoSuchOverloadErr()
	}
	if len(text) > maxText {
		return types.NewErr("split: the text is longer than %d bytes", maxText)
	}
	return types.DefaultTypeAdapter.NativeToValue(strings.Split(string(text), string(sep)))
}
