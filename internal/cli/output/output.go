// SPDX-License-Identifier: Apache-2.0

// Package output writes what a command found in the format that was asked for: tables for people, JSON, YAML and
// names for programs. People's formats may change; programs' are those of the resources.
package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Format is a value of --output.
type Format string

// The formats. Wide is a table.
const (
	Wide Format = "wide"
	Name Format = "name"
	JSON Format = "json"
	YAML Format = "yaml"
	ID   Format = "id"
)

// Flag adds --output. The first of the formats is the default.
func Flag(flags *pflag.FlagSet, format *Format, formats ...Format) {
	*format = formats[0]
	flags.VarP(&value{format, formats}, "output", "o", "output format: "+join(formats, "|"))
}

type value struct {
	format  *Format
	allowed []Format
}

func (v *value) String() string { return string(*v.format) }
func (v *value) Type() string   { return "format" }
func (v *value) Set(raw string) error {
	if !slices.Contains(v.allowed, Format(raw)) {
		return fmt.Errorf("write one of %s", join(v.allowed, ", "))
	}
	*v.format = Format(raw)
	return nil
}

func join(formats []Format, separator string) string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = string(f)
	}
	return strings.Join(names, separator)
}

// Encode writes v as JSON or YAML; ok is false for every other format, and nothing is written.
func Encode(w io.Writer, format Format, v any) (ok bool, err error) {
	var data []byte
	switch format {
	case JSON:
		data, err = json.MarshalIndent(v, "", "  ")
		data = append(data, '\n')
	case YAML:
		data, err = yaml.Marshal(v)
	default:
		return false, nil
	}
	if err == nil {
		_, err = w.Write(data)
	}
	return true, err
}

// Next goes before each document but the first of several that are encoded one by one.
func Next(w io.Writer, format Format) {
	if format == YAML {
		fmt.Fprintln(w, "---")
	}
}

// Application returns app as programs are to see it: with its kind, and without the bookkeeping of field managers.
func Application(app v1alpha1.Application) v1alpha1.Application {
	app.SetGroupVersionKind(v1alpha1.ApplicationSchemaGroupVersionKind)
	app.ManagedFields = nil
	return app
}

// Table writes rows under a header, in columns. Cells are cleaned.
func Table(w io.Writer, header []string, rows [][]string) {
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = strings.ReplaceAll(Clean(cell), "\t", " ")
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	table.Flush()
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// Clean takes out what a terminal would obey, and what makes it show text in another order than it stands: texts of
// clusters and repositories are foreign.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, text)
}
