// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"fmt"
	"regexp"
	"strings"
)

// saying is an error of the library that is known, in words that say what to do.
type saying struct {
	text  *regexp.Regexp
	cause func(m []string) string
	fix   string
}

// id matches how the library writes which object it means: Kind.version.group/name.namespace.
const id = `([A-Za-z]\w*\.(?:\[noVer\]|[\w]+)\.(?:\[noGrp\]|[\w.-]+)/\S+?\.(?:\[noNs\]|[\w-]+))`

// resID matches the same as the language prints it.
const resID = `resid\.ResId\{Gvk:resid\.Gvk\{Group:"([^"]*)", Version:"[^"]*", Kind:"([^"]*)"[^}]*\}, Name:"([^"]*)", Namespace:"([^"]*)"\}`

var sayings = []saying{
	{regexp.MustCompile(`already registered id: ` + id),
		func(m []string) string { return meant(m[1]) + " is there twice" }, "remove one of the two, or give it another name or namespace"},
	{regexp.MustCompile(resID + ` does not exist; cannot merge or replace`),
		func(m []string) string { return printed(m) + " is to be merged or replaced, and does not exist" }, "correct its name, or leave behavior out to create it"},
	{regexp.MustCompile(resID + ` exists; can not use behavior`),
		func(m []string) string { return printed(m) + " is generated, and exists already" }, "set its behavior to merge or replace, or give it another name"},
	{regexp.MustCompile(`(?:no matches for Id|failed to find unique target for patch|strategic merge patch) "?` + id),
		func(m []string) string { return "nothing is there for the patch of " + meant(m[1]) }, "correct kind, name or namespace in the patch, or remove it"},
	{regexp.MustCompile(`multiple matches for (?:Id )?` + id),
		func(m []string) string { return "several objects are meant by " + meant(m[1]) }, "say which, by group, version or namespace"},
	{regexp.MustCompile(`nothing selected by (\S+?)(?::|\s)`),
		func(m []string) string { return "the source of a replacement, " + meant(m[1]) + ", is not there" }, "correct the source of the replacement"},
	{regexp.MustCompile(`resource with name (\S+) does not match a config`),
		func(m []string) string { return "replicas names " + m[1] + ", and there is no such workload" }, "correct the name in replicas, or remove it"},
	{regexp.MustCompile(`expected kind != 'Component'`),
		func([]string) string { return "it is a component, and is listed under resources" }, "list it under components"},
	{regexp.MustCompile(`expected kind 'Component' for path`),
		func([]string) string { return "it is no component, and is listed under components" }, "list it under resources, or make it kind: Component"},
	{regexp.MustCompile(`the specified OpenAPI version is not built in`),
		func([]string) string { return "openapi.version names a version that Kustomize does not have" }, "remove it, or give the schema in openapi.path"},
	{regexp.MustCompile(`validator shouldn't modify the resource map`),
		func([]string) string { return "one of its validators changes objects" }, "list it under transformers"},
	{regexp.MustCompile(`kustomization\.yaml is empty`),
		func([]string) string { return "the kustomization is empty" }, "list its resources, or remove the file"},
	{regexp.MustCompile(`missing metadata\.name in object`),
		func([]string) string { return "an object has no metadata.name" }, "give it one"},
	{regexp.MustCompile(`missing Resource metadata|Object 'Kind' is missing|missing kind in`),
		func([]string) string { return "it holds something that is no Kubernetes object" }, "give it apiVersion, kind and metadata, or do not list the file"},
	{regexp.MustCompile(`invalid literal source`),
		func([]string) string { return "a literal of a generator is not of the form key=value" }, "write it as key=value"},
	{regexp.MustCompile("illegally repeats the key `([^`]+)`"),
		func(m []string) string { return "a generator has the key " + m[1] + " twice" }, "remove one of the two"},
	{regexp.MustCompile(`unable to parse SM or JSON patch from`),
		func([]string) string { return "a patch is neither an object nor a list of JSON patch operations" },
		"give it apiVersion, kind and metadata.name, or write a list of operations with op and path, in block style or as JSON"},
	{regexp.MustCompile(`(?:yaml: |YAML: )?(line \d+: [^\n]+?)(?: in File: .*)?\n`),
		func(m []string) string { return m[1] }, "correct the YAML"},
}

// meant writes Kind.version.group/name.namespace for people.
func meant(id string) string {
	gvk, name, _ := strings.Cut(id, "/")
	parts := strings.SplitN(gvk, ".", 3)
	name, namespace := cutLast(name, ".")
	return named(parts[0], name, namespace)
}

func printed(m []string) string { return named(m[2], m[3], m[4]) }

func named(kind, name, namespace string) string {
	if namespace == "" || namespace == "[noNs]" {
		return fmt.Sprintf("%s %s", kind, name)
	}
	return fmt.Sprintf("%s %s/%s", kind, namespace, name)
}

func cutLast(s, sep string) (before, after string) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i+len(sep):]
}

var (
	// way is what the library puts before an error for each kustomization that it comes through.
	way = regexp.MustCompile(`(?s)^.*(?:recursed accumulation of|recursed merging from|couldn't make target for) path '[^']+': `)
	// tried is what it adds because it tried a file as a folder and the other way round.
	tried = regexp.MustCompile(`accumulation err='accumulating resources from '[^']+': '[^']+' must resolve to a file': |: must build at directory: .*$`)
	// address is a place in memory: with it the text would be another one each time.
	memory = regexp.MustCompile(`\(?(?:\(\*[\w.]+\)\()?0x[0-9a-f]+\)?`)
)

// said shortens an error of the library to what went wrong, and says what to do about it.
func said(text string) (cause, fix string) {
	for _, s := range sayings {
		if m := s.text.FindStringSubmatch(text + "\n"); m != nil {
			return s.cause(m), s.fix
		}
	}
	text = tried.ReplaceAllString(way.ReplaceAllString(text, ""), "")
	text = strings.Join(strings.Fields(strings.TrimPrefix(text, "accumulating resources: ")), " ") // an error is one line
	return memory.ReplaceAllString(text, "…"), "correct it and push"
}
