// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"
	"testing"
)

// People keep an Application beside others and beside its project: one is meant only if there is one.
func TestTheApplicationOfAFile(t *testing.T) {
	const app, project = "kind: Application\nmetadata: {name: web}\n", "kind: AppProject\nmetadata: {name: shop}\n"
	for name, c := range map[string]struct{ file, want string }{
		"alone":             {app, ""},
		"beside a project":  {"# first\n---\n" + project + "---\n" + app + "---\n", ""},
		"two":               {app + "---\n" + app, "there are several"},
		"a project":         {project, "there is none, only AppProject"},
		"nothing":           {"# nothing\n", "there is none"},
		"values of a chart": {"replicas: 1\n", "there is none"},
		"a typo":            {app + "spce: {}\n", "spce"},
		"no YAML":           {"a: [\n", "line 1"},
	} {
		got, err := onlyApplication([]byte(c.file))
		switch {
		case c.want == "" && (err != nil || got.Name != "web"):
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}
