// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/engine"

	"github.com/bowline-cd/bowline/internal/render"
)

// notesSuffix is how the names of the files end that `helm install` shows to people.
const notesSuffix = "NOTES.txt"

// execute runs all templates of the chart and its dependencies, and returns what each gives by its name, which begins
// with the chart's.
func (j *job) execute(ctx context.Context, values common.Values) (map[string]string, error) {
	j.caps.ctx = ctx
	top := common.Values{
		"Values":       values,
		"Capabilities": j.caps,
		"Release": map[string]any{
			"Name": j.release.Name, "Namespace": j.release.Namespace, "Service": "Helm",
			"IsInstall": true, "IsUpgrade": false, "Revision": 1,
		},
	}
	w := &watcher{job: j}
	j.templatePlaces(j.chart)
	plain := surround(j.chart)
	e := engine.Engine{CustomTemplateFuncs: w.functions()}
	texts, err := e.Render(j.chart, top)
	if j.caps.failure != nil { // some functions answer nothing instead of failing
		return nil, j.caps.failure
	}
	if err == nil {
		maps.DeleteFunc(texts, func(name, _ string) bool { return strings.HasSuffix(name, notesSuffix) })
		return texts, j.checkOutput(texts)
	}
	if isParseError(err) { // what stands around a template must not confuse what is said of it
		plain()
		if _, again := e.Render(j.chart, top); again != nil {
			err = again
		}
	}
	return nil, j.explain(err)
}

// templatePlaces notes where the templates of a chart and its dependencies lie, by the names the engine gives them.
func (j *job) templatePlaces(c *chart.Chart) {
	for _, t := range c.Templates {
		j.places[path.Join(c.ChartFullPath(), t.Name)] = j.at[t]
	}
	for _, sub := range c.Dependencies() {
		j.templatePlaces(sub)
	}
}

// surround puts calls around the text of each template that say which one runs: one template may run others as a whole
// (include). It adds no lines and no output. Files that only define templates run with those that use them. undo takes
// the calls away.
func surround(c *chart.Chart) (undo func()) {
	prefix := c.ChartFullPath()
	originals := c.Templates
	surrounded := make([]*common.File, len(originals))
	for i, t := range originals {
		surrounded[i] = t
		if strings.HasPrefix(path.Base(t.Name), "_") || !bytes.Contains(t.Data, []byte("{{")) {
			continue
		}
		text := fmt.Sprintf("{{%s %q}}%s{{%s}}", enterName, path.Join(prefix, t.Name), t.Data, leaveName)
		surrounded[i] = &common.File{Name: t.Name, ModTime: t.ModTime, Data: []byte(text)}
	}
	c.Templates = surrounded
	undos := []func(){func() { c.Templates = originals }}
	for _, sub := range c.Dependencies() {
		undos = append(undos, surround(sub))
	}
	return func() {
		for _, undo := range slices.Backward(undos) {
			undo()
		}
	}
}

// checkOutput holds what was rendered against the limit.
func (j *job) checkOutput(texts map[string]string) error {
	total := int64(0)
	for _, text := range texts {
		if total += int64(len(text)); total > j.in.Limits.OutputBytes {
			return j.mistake("", fmt.Sprintf("it renders to more than %s", render.Size(j.in.Limits.OutputBytes)),
				"split the application, or raise "+render.SettingOutput)
		}
	}
	return nil
}
