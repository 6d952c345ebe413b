// SPDX-License-Identifier: Apache-2.0

// Command generate writes the messages and services of Argo CD's API from the table of its wire.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

const (
	table  = "../../../test/testdata/compat/argocd-wire.json"
	base   = "github.com/bowline-cd/bowline/api/argoproj/rpc"
	kinds  = "github.com.argoproj.argo_cd.v3.pkg.apis.application.v1alpha1"
	claims = "github.com.argoproj.argo_cd.server.settings.oidc"
)

// served are the packages whose services are offered; the messages of others are written as far as these need them.
var served = []string{"account", "application", "applicationset", "certificate", "cluster", "project", "repocreds", "repository", "session", "version"}

// elsewhere are messages that are Kubernetes' own.
var elsewhere = map[string][2]string{
	"google.protobuf.Empty":                     {"rpc", base},
	"k8s.io.apimachinery.pkg.apis.meta.v1.Time": {"metav1", "k8s.io/apimachinery/pkg/apis/meta/v1"},
	"events.EventList":                          {"corev1", "k8s.io/api/core/v1"},
}

// telling are fields whose absence means something else than their zero value.
var telling = map[string]bool{
	"ApplicationCreateRequest.validate": true, "ApplicationUpdateRequest.validate": true, "ApplicationUpdateSpecRequest.validate": true,
	"ApplicationDeleteRequest.cascade": true, "ApplicationDeleteRequest.propagationPolicy": true,
	"ApplicationPodLogsQuery.sinceSeconds": true, "ApplicationPodLogsQuery.tailLines": true,
	"ApplicationServerSideDiffResponse.modified": true, "RevisionMetadataQuery.sourceIndex": true, "RevisionMetadataQuery.versionId": true,
}

// beyond are fields that Bowline adds to requests of REST: they have no number on the wire.
var beyond = map[string][]field{
	"ApplicationQuery": {
		{Name: "limit", Type: "int64"}, {Name: "continue", Type: "string"}, {Name: "search", Type: "string"}, {Name: "sort", Type: "string"},
		{Name: "fields", Type: "string"},
	},
	"ApplicationSetListQuery": {{Name: "fields", Type: "string"}},
}

type field struct {
	Name     string `json:"name"`
	Number   int    `json:"number"`
	Type     string `json:"type"`
	Repeated bool   `json:"repeated"`
	Required bool   `json:"required"`
}

type method struct {
	HTTP         []string `json:"http"`
	Body         string   `json:"body"`
	Request      string   `json:"request"`
	Response     string   `json:"response"`
	ServerStream bool     `json:"serverStream"`
	ClientStream bool     `json:"clientStream"`
}

type pack struct {
	Messages map[string][]field           `json:"messages"`
	Services map[string]map[string]method `json:"services"`
}

func main() {
	log.SetFlags(0)
	text, err := os.ReadFile(table)
	if err != nil {
		log.Fatal(err)
	}
	g := &generator{needed: map[string][]string{}}
	if err := json.Unmarshal(text, &g.packs); err != nil {
		log.Fatal(err)
	}
	for _, name := range served {
		for _, s := range g.packs[name].Services {
			for _, m := range s {
				g.need(name, m.Request)
				g.need(name, m.Response)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.needed)) {
		if err := g.write(name); err != nil {
			log.Fatalf("%s: %v", name, err)
		}
	}
	if err := g.writeWire(); err != nil {
		log.Fatal(err)
	}
}

type generator struct {
	packs   map[string]pack
	needed  map[string][]string // the messages to write, by package
	imports map[string]string   // of the file that is written: path by name
	out     bytes.Buffer
}

// locate returns the package and the name of a message that is referred to in a package.
func (g *generator) locate(in, ref string) (string, string) {
	ref = strings.TrimPrefix(ref, ".")
	if _, ok := g.packs[in].Messages[ref]; ok {
		return in, ref
	}
	i := strings.LastIndex(ref, ".")
	if i < 0 {
		return "", ref
	}
	return ref[:i], ref[i+1:]
}

func (g *generator) need(in, ref string) {
	if inner, ok := mapValue(ref); ok {
		ref = inner
	}
	in, name := g.locate(in, ref)
	if _, ok := elsewhere[in+"."+name]; ok || in == "" || in == kinds || slices.Contains(g.needed[in], name) {
		return
	}
	fields, ok := g.packs[in].Messages[name]
	if !ok {
		log.Fatalf("no message %s in %s", name, in)
	}
	g.needed[in] = append(g.needed[in], name)
	for _, f := range fields {
		if !scalar(f.Type) {
			g.need(in, f.Type)
		}
	}
}

func mapValue(t string) (string, bool) {
	inner, ok := strings.CutPrefix(t, "map<string,")
	return strings.TrimSuffix(inner, ">"), ok
}

func scalar(t string) bool {
	return goScalar(t) != ""
}

func goScalar(t string) string {
	switch t {
	case "string", "bool", "int32", "int64":
		return t
	case "bytes":
		return "[]byte"
	}
	return ""
}

func folder(in string) string {
	if in == claims {
		return "oidc"
	}
	return in
}

// goType returns how a message is written in Go.
func (g *generator) goType(in, ref string) string {
	if s := goScalar(ref); s != "" {
		return s
	}
	if inner, ok := mapValue(ref); ok {
		t := g.goType(in, inner)
		if !scalar(inner) {
			t = "*" + t
		}
		return "map[string]" + t
	}
	from, name := g.locate(in, ref)
	if e, ok := elsewhere[from+"."+name]; ok {
		g.imports[e[0]] = e[1]
		return e[0] + "." + name
	}
	switch from {
	case in:
		return name
	case kinds:
		g.imports["v1alpha1"] = "github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
		return "v1alpha1." + name
	}
	g.imports[folder(from)] = base + "/" + folder(from)
	return folder(from) + "." + name
}

func (g *generator) printf(text string, args ...any) { fmt.Fprintf(&g.out, text, args...) }

func (g *generator) write(in string) error {
	g.out.Reset()
	g.imports = map[string]string{}
	for _, name := range slices.Sorted(slices.Values(g.needed[in])) {
		g.message(in, name)
	}
	services := g.packs[in].Services
	if slices.Contains(served, in) {
		for _, name := range slices.Sorted(maps.Keys(services)) {
			g.service(in, name, services[name])
		}
	}
	body := g.out.String()
	g.out.Reset()
	g.printf("// SPDX-License-Identifier: Apache-2.0\n\n// Code generated by api/argoproj/rpc/generate. DO NOT EDIT.\n\n")
	g.printf("// Package %s holds the messages and services of Argo CD's API of that name.\npackage %s\n\nimport (\n", folder(in), folder(in))
	for _, name := range slices.SortedFunc(maps.Keys(g.imports), func(a, b string) int { return strings.Compare(g.imports[a], g.imports[b]) }) {
		g.printf("%s %q\n", name, g.imports[name])
	}
	g.printf(")\n\n%s", body)
	text, err := format.Source(g.out.Bytes())
	if err != nil {
		return fmt.Errorf("%w\n%s", err, g.out.String())
	}
	if err := os.MkdirAll(folder(in), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder(in), "zz_generated.go"), text, 0o644)
}

func (g *generator) message(in, name string) {
	g.printf("// %s is a message of the package %s.\ntype %s struct {\n", name, in, name)
	for _, f := range slices.Concat(g.packs[in].Messages[name], beyond[name]) {
		t := g.goType(in, f.Type)
		_, isMap := mapValue(f.Type)
		switch {
		case f.Repeated:
			t = "[]" + t
		case !isMap && !scalar(f.Type), telling[name+"."+f.Name]:
			t = "*" + t
		}
		omit := ",omitempty"
		if f.Required {
			omit = ""
		}
		g.printf("%s %s `json:\"%s%s\"`\n", goName(f.Name), t, f.Name, omit)
	}
	g.printf("}\n\n")
}

func (g *generator) service(in, name string, methods map[string]method) {
	g.imports["context"], g.imports["rpc"] = "context", base
	g.printf("// %s is the service %s.%s.\ntype %s interface {\n", name, in, name, name)
	for _, m := range slices.Sorted(maps.Keys(methods)) {
		g.printf("%s%s\n", m, g.signature(in, methods[m]))
	}
	g.printf("}\n\n// %sMethods describes the calls of %s.\nvar %sMethods = []*rpc.Method{\n", name, name, name)
	for _, n := range slices.Sorted(maps.Keys(methods)) {
		m := methods[n]
		var bindings strings.Builder
		for _, h := range m.HTTP {
			verb, path, _ := strings.Cut(h, " ")
			fmt.Fprintf(&bindings, ", rpc.Binding{Verb: %q, Path: %q}", verb, path)
		}
		g.printf("rpc.%s(\"%s.%s\", %q, %s.%s).On(%q, %q, %q%s),\n", constructor(m), in, name, n, name, n,
			g.full(in, m.Request), g.full(in, m.Response), m.Body, bindings.String())
	}
	g.printf("}\n\n// New%s returns a %s that calls through c.\nfunc New%sClient(c rpc.Caller) %s { return %sClient{c} }\n\n", name+"Client", name, name, name, lower(name))
	g.printf("type %sClient struct{ c rpc.Caller }\n\n", lower(name))
	for i, n := range slices.Sorted(maps.Keys(methods)) {
		g.client(in, name, n, methods[n], i)
	}
}

func (g *generator) full(in, ref string) string {
	from, name := g.locate(in, ref)
	return from + "." + name
}

func constructor(m method) string {
	switch {
	case m.ServerStream:
		return "NewServerStream"
	case m.ClientStream:
		return "NewClientStream"
	}
	return "NewUnary"
}

func (g *generator) signature(in string, m method) string {
	q, r := g.goType(in, m.Request), g.goType(in, m.Response)
	switch {
	case m.ServerStream:
		return fmt.Sprintf("(ctx context.Context, request *%s, send func(*%s) error) error", q, r)
	case m.ClientStream:
		return fmt.Sprintf("(ctx context.Context, next func() (*%s, error)) (*%s, error)", q, r)
	}
	return fmt.Sprintf("(ctx context.Context, request *%s) (*%s, error)", q, r)
}

func (g *generator) client(in, service, name string, m method, i int) {
	q, r := g.goType(in, m.Request), g.goType(in, m.Response)
	_ = q
	g.printf("func (c %sClient) %s%s {\n", lower(service), name, g.signature(in, m))
	entry := fmt.Sprintf("%sMethods[%d]", service, i)
	switch {
	case m.ServerStream:
		g.printf("return c.c.Stream(ctx, %s, request, func(element any) error { return send(element.(*%s)) })\n", entry, r)
	case m.ClientStream:
		g.printf("response := new(%s)\nif err := c.c.Send(ctx, %s, func() (any, error) { return next() }, response); err != nil {\nreturn nil, err\n}\nreturn response, nil\n", r, entry)
	default:
		g.printf("response := new(%s)\nif err := c.c.Call(ctx, %s, request, response); err != nil {\nreturn nil, err\n}\nreturn response, nil\n", r, entry)
	}
	g.printf("}\n\n")
}

// goName is a field's name in Go.
func goName(name string) string {
	for _, word := range []string{"Id", "Url", "Oci", "Http"} {
		for i := strings.Index(name, word); i >= 0; {
			end := i + len(word)
			if end == len(name) || unicode.IsUpper(rune(name[end])) || name[end] == 's' && end+1 == len(name) {
				name = name[:i] + strings.ToUpper(word) + name[end:]
			}
			next := strings.Index(name[end:], word)
			if next < 0 {
				break
			}
			i = end + next
		}
	}
	switch name {
	case "id", "url", "uid", "iss", "iat":
		return strings.ToUpper(name)
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func lower(name string) string { return strings.ToLower(name[:1]) + name[1:] }
