// SPDX-License-Identifier: Apache-2.0

package app

import (
	"log/slog"
	"slices"

	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/source"
	"github.com/bowline-cd/bowline/internal/worker"
	"github.com/bowline-cd/bowline/internal/worker/plugin"
)

// newPool returns what renders: this process, processes of its own, and plugins.
func newPool(plugins *plugin.Client, log *slog.Logger) (*worker.Pool, error) {
	return worker.New(worker.Options{Log: log, Plugins: plugins})
}

// newPlugins returns the plugins whose sockets are in a folder ("" is where sidecars put them).
func newPlugins(current func() *configuration.Snapshot, dir string, log *slog.Logger) *plugin.Client {
	pluginSettings := func() plugin.Settings {
		s := current().Settings.Rendering
		return plugin.Settings{Exclusions: s.PluginTarExclusions, Expected: s.PluginsExpected, MaxTar: s.PluginTarBytes}
	}
	return plugin.New(plugin.Options{Dir: dir, Settings: pluginSettings, Log: log})
}

// artifactLimits returns the bounds that the settings put on charts, archives and files.
func artifactLimits(s settings.Settings) source.ArtifactLimits {
	f := s.Fetching
	return source.ArtifactLimits{
		Archive: f.ArchiveBytes, Index: f.IndexBytes, Chart: f.ChartBytes, OCI: f.OCIBytes, Files: s.Rendering.Files, MediaTypes: f.OCILayerMediaTypes,
	}
}

// privateHosts says which hosts with a private address files may come from.
func privateHosts(current func() *configuration.Snapshot) func(host string) bool {
	return func(host string) bool {
		return slices.ContainsFunc(current().Settings.Fetching.PrivateHosts, func(pattern string) bool {
			g, err := object.CompileGlob(pattern)
			return err == nil && g.Match(host)
		})
	}
}
