// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/internal/cli/output"
)

func writeWarnings(w io.Writer, warnings []string) {
	for _, warning := range warnings {
		for line := range strings.Lines(warning) { // a condition holds all that is of its type
			fmt.Fprintln(w, "warning:", output.Clean(line))
		}
	}
}

// writeObjects writes manifests: as YAML documents with their origin, or in a format for programs.
func writeObjects(w io.Writer, format output.Format, objects []Object) error {
	switch format {
	case output.Name:
		for _, o := range objects {
			u := unstructured.Unstructured{Object: o.Content}
			fmt.Fprintln(w, strings.ToLower(u.GroupVersionKind().GroupKind().String())+"/"+qualified(u))
		}
		return nil
	case output.Wide:
		rows := make([][]string, 0, len(objects))
		for _, o := range objects {
			u := unstructured.Unstructured{Object: o.Content}
			rows = append(rows, []string{u.GroupVersionKind().Group, u.GetKind(), u.GetNamespace(), u.GetName(), o.where()})
		}
		output.Table(w, []string{"GROUP", "KIND", "NAMESPACE", "NAME", "FROM"}, rows)
		return nil
	case output.JSON:
		content := make([]map[string]any, 0, len(objects))
		for _, o := range objects {
			content = append(content, o.Content)
		}
		_, err := output.Encode(w, format, content)
		return err
	}
	for _, o := range objects {
		output.Next(w, output.YAML)
		if where := o.where(); where != "" {
			fmt.Fprintln(w, "# Source:", output.Clean(where))
		}
		if _, err := output.Encode(w, output.YAML, o.Content); err != nil {
			return err
		}
	}
	return nil
}

func qualified(u unstructured.Unstructured) string {
	if u.GetNamespace() == "" {
		return u.GetName()
	}
	return u.GetNamespace() + "/" + u.GetName()
}

func (o Object) where() string {
	if o.File == "" || o.Line == 0 {
		return o.File
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}

// writeExplanation writes what renders were made of. YAML is for people here too: it is only written if asked for by name.
func writeExplanation(w io.Writer, format output.Format, sources []Source, since string) error {
	if format == output.JSON {
		_, err := output.Encode(w, format, sources)
		return err
	}
	for i, s := range sources {
		if i > 0 {
			fmt.Fprintln(w)
		}
		s.write(w, since)
	}
	return nil
}

func (s Source) write(w io.Writer, since string) {
	fmt.Fprintf(w, "%s: %s, %s at %s\n", s.Name, s.Type, s.Repo, s.Revision)
	for _, t := range s.Trees {
		fmt.Fprintf(w, "  read from %s\n", output.Clean(t.Name))
		for _, r := range t.Read {
			fmt.Fprintf(w, "    %-8s %s %s\n", r.what(), brief(r.ID), output.Clean(shown(r.Path)))
		}
	}
	for _, a := range s.Asked {
		fmt.Fprintf(w, "  asked for %s: %s\n", a.Name, output.Clean(a.Value))
	}
	for _, v := range s.Volatile {
		fmt.Fprintf(w, "  calls %s, whose answer differs from call to call\n", output.Clean(v))
	}
	if since == "" {
		return
	}
	if len(s.Changed) == 0 {
		fmt.Fprintf(w, "  nothing of it differs since %s: it would not be rendered again\n", since)
	}
	for _, c := range s.Changed {
		fmt.Fprintf(w, "  differs since %s: %s\n", since, output.Clean(c))
	}
}

func (r Read) what() string {
	switch {
	case r.ID == "":
		return "absent"
	case r.Listed:
		return "folder"
	default:
		return "file"
	}
}

// brief cuts an id to the length people compare.
func brief(id string) string {
	const n = 12
	if len(id) <= n {
		return fmt.Sprintf("%-*s", n, id)
	}
	return id[:n]
}

func shown(p string) string {
	if p == "" {
		return "."
	}
	return p
}
