// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/settings"
)

// facts are what a destination cluster can do, as its last discovery says.
type facts struct{ cluster *cluster.Cluster }

// KubeVersion implements render.Facts.
func (f facts) KubeVersion(context.Context) (string, error) {
	if version := f.cluster.Version(); version != "" {
		return version, nil
	}
	return "", f.unknown()
}

// APIVersions implements render.Facts.
func (f facts) APIVersions(context.Context) ([]string, error) {
	if versions := f.cluster.APIVersions(); len(versions) > 0 {
		return versions, nil
	}
	return nil, f.unknown()
}

func (f facts) unknown() error {
	cfg := f.cluster.Config()
	return fault.New(fault.Retry, "ask", "cluster "+cfg.Server, "", "it has not said yet which version it is and which kinds it serves", "")
}

// RenderOptions returns what the settings say of how sources are rendered.
func RenderOptions(s settings.Rendering) render.Options {
	return render.Options{
		KustomizeBuildOptions: s.KustomizeBuildOptions, KustomizeVersions: s.KustomizeVersions, ValuesFileSchemes: s.ValuesFileSchemes,
		HelmOff: s.HelmOff, KustomizeOff: s.KustomizeOff, JsonnetOff: s.JsonnetOff,
	}
}

func (p *pass) renderOptions() render.Options {
	o := RenderOptions(p.rules.Settings.Rendering)
	o.Plugins = p.rules.Plugins
	return o
}

// RenderLimits returns the bounds that the settings put on one render.
func RenderLimits(s settings.Rendering) render.Limits {
	return render.Limits{
		TotalBytes: s.DirectoryBytes, OutputBytes: s.OutputBytes, Objects: s.Objects, Files: s.Files, Time: s.Time, Memory: s.Memory,
	}.WithDefaults()
}
