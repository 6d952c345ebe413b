// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

// schemaFile is the name of the schema of a chart's values, schemaURL the address Helm gives it.
const (
	schemaFile = "values.schema.json"
	schemaURL  = "file:///" + schemaFile
)

// validate holds the values against the schemas of the chart and its dependencies. Unlike Helm it never reads a schema
// that one refers to from disk or network: those at addresses become needs.
func (j *job) validate(ctx context.Context, values common.Values) error {
	var problems []string
	if err := j.validateChart(ctx, j.chart, values, &problems); err != nil || len(problems) == 0 {
		return err
	}
	return fault.New(fault.Mistake, "render", j.thing(), "", "the values do not fit the chart's "+schemaFile+": "+strings.Join(problems, "; "),
		"correct the values, or set "+j.in.Field("helm.skipSchemaValidation"))
}

func (j *job) validateChart(ctx context.Context, c *chart.Chart, values map[string]any, problems *[]string) error {
	if c.Schema != nil {
		found, err := j.validateOne(ctx, c, values)
		if err != nil {
			return err
		}
		slices.Sort(found)
		*problems = append(*problems, found...)
	}
	for _, sub := range c.Dependencies() {
		value := values[sub.Name()]
		if value == nil {
			continue
		}
		below, ok := value.(map[string]any)
		if !ok {
			*problems = append(*problems, fmt.Sprintf("%s: the values of this dependency are no mapping", sub.Name()))
			continue
		}
		if err := j.validateChart(ctx, sub, below, problems); err != nil {
			return err
		}
	}
	return nil
}

// validateOne returns what is wrong with the values of one chart.
func (j *job) validateOne(ctx context.Context, c *chart.Chart, values map[string]any) (problems []string, err error) {
	where := j.at[c.Raw[slices.IndexFunc(c.Raw, func(f *common.File) bool { return f.Name == schemaFile })]]
	defer func() {
		if r := recover(); r != nil { // as Helm does: the library gives up on some schemas this way
			err = j.badSchema(where, fmt.Errorf("%v", r))
		}
	}()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(c.Schema))
	if err != nil {
		return nil, j.badSchema(where, err)
	}
	loader := &schemaLoader{ctx: ctx, job: j, where: where}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(loader)
	if err := compiler.AddResource(schemaURL, document); err != nil {
		return nil, j.badSchema(where, err)
	}
	schema, err := compiler.Compile(schemaURL)
	switch {
	case loader.waiting:
		return nil, nil
	case loader.failure != nil:
		return nil, loader.failure
	case err != nil:
		return nil, j.badSchema(where, err)
	}
	err = schema.Validate(values)
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		return describe(c.Name(), invalid), nil
	}
	return nil, err
}

var webAddress = regexp.MustCompile(`https?://[^\s"']+`)

func (j *job) badSchema(where string, err error) error {
	text := webAddress.ReplaceAllStringFunc(err.Error(), fault.RedactURL)
	return &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the schema", Where: where, Err: errors.New(text),
		Fix: "correct it, or set " + j.in.Field("helm.skipSchemaValidation")}
}

// schemaLoader gives the schemas that others refer to.
type schemaLoader struct {
	ctx     context.Context // the compiler has no other way to hand it on
	job     *job
	where   string
	waiting bool  // a schema has to be fetched first
	failure error // why one cannot be had
}

// Load implements jsonschema.URLLoader.
func (l *schemaLoader) Load(url string) (any, error) {
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "urn": // Helm takes what it cannot find by name for a schema that fits everything
		return true, nil
	case "http", "https":
		return l.fetched(url, scheme)
	default:
		l.failure = fault.New(fault.Forbidden, "read", "the schema", l.where, "it refers to "+scheme+": addresses, which are never read",
			"put what it refers to into the schema itself, under $defs")
		return nil, l.failure
	}
}

func (l *schemaLoader) fetched(url, scheme string) (any, error) {
	need := render.Need{Kind: render.NeedFile, URL: url, Where: l.where}
	remote, ok := l.job.in.Remote(need)
	switch {
	case ok:
		data, err := remote.Tree.Read(l.ctx, render.FileName, l.job.in.Limits.FileBytes)
		if err != nil {
			l.failure = l.job.unreadable(fault.RedactURL(url), err)
			return nil, l.failure
		}
		return jsonschema.UnmarshalJSON(bytes.NewReader(data))
	case !slices.Contains(l.job.in.Options.ValuesFileSchemes, scheme):
		l.failure = fault.New(fault.Forbidden, "read", "the schema", l.where, fmt.Sprintf("it refers to an %s address, and files at such addresses are not allowed", scheme),
			"put what it refers to into the schema itself, under $defs, or add the scheme to helm.valuesFileSchemes in argocd-cm")
		return nil, l.failure
	}
	l.job.need(need)
	l.waiting = true
	return nil, errors.New("to be fetched first")
}

var printer = message.NewPrinter(language.English)

// describe lists what is wrong, each with the path of the value. The values themselves are left out: they may be secret.
func describe(chart string, e *jsonschema.ValidationError) []string {
	if len(e.Causes) > 0 {
		var out []string
		for _, cause := range e.Causes {
			out = append(out, describe(chart, cause)...)
		}
		return out
	}
	text := ""
	switch k := e.ErrorKind.(type) {
	case *kind.Pattern:
		text = fmt.Sprintf("does not match the pattern %q", k.Want)
	case *kind.Format:
		text = "is no valid " + k.Want
	default:
		text = k.LocalizedString(printer)
	}
	return []string{strings.Join(append([]string{chart}, e.InstanceLocation...), ".") + ": " + text}
}
