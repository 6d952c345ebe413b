// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// assemble makes a chart of its files, the vendored dependencies included. at is where it lies. Dependencies come in the
// order of their names: Helm takes any order, and so does not give the same for the same chart when two are of one name.
func (j *job) assemble(files []file, at string, depth int) (*chart.Chart, error) {
	if depth > maxDepth {
		return nil, j.mistake(at, fmt.Sprintf("charts lie within charts more than %d deep", maxDepth), "remove what is not needed from the charts folder")
	}
	var own []*archive.BufferedFile
	places := make(map[string]string, len(files))
	vendored := map[string][]file{}
	for _, f := range files {
		if sub, rest, ok := inCharts(f.name); ok {
			vendored[sub] = append(vendored[sub], file{name: rest, at: f.at, data: f.data})
			continue
		}
		own = append(own, &archive.BufferedFile{Name: f.name, Data: f.data})
		places[f.name] = f.at
	}
	c, err := loader.LoadFiles(own)
	if err != nil {
		return nil, j.mistake(at, withoutValues(err).Error(), "correct the chart")
	}
	for _, f := range slices.Concat(c.Templates, c.Files, c.Raw) {
		j.at[f] = places[f.Name]
	}
	for _, name := range slices.Sorted(maps.Keys(vendored)) {
		if name[0] == '_' || name[0] == '.' {
			continue
		}
		sub, err := j.vendored(name, vendored[name], at, depth)
		if err != nil {
			return nil, err
		}
		c.AddDependency(sub)
	}
	return c, nil
}

// vendored makes a chart of what lies under one name of a charts folder.
func (j *job) vendored(name string, files []file, at string, depth int) (*chart.Chart, error) {
	at = path.Join(at, "charts", name)
	if path.Ext(name) == ".tgz" {
		if files[0].name != "" {
			return nil, j.mistake(at, "it is a folder with the name of an archive", "give the folder the chart's name")
		}
		unpacked, err := j.unpack(files[0].data, at)
		if err != nil {
			return nil, err
		}
		return j.assemble(unpacked, at, depth+1)
	}
	inFolder := slices.DeleteFunc(files, func(f file) bool { return f.name == "" })
	if len(inFolder) == 0 {
		return nil, j.mistake(at, "it is no chart, and Helm takes everything in a charts folder for one", "move the file, or name it in .helmignore")
	}
	return j.assemble(inFolder, at, depth+1)
}
