// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"context"
	"errors"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

type source = v1alpha1.ApplicationSource

// text, yes and list add a flag that changes a source.
func (f *Flags) text(name, usage string, into func(*source) *string) {
	value := f.set.String(name, "", usage)
	f.onSource(name, func(_ context.Context, s *source) error { *into(s) = *value; return nil })
}

func (f *Flags) yes(name, usage string, into func(*source) *bool) {
	value := f.set.Bool(name, false, usage)
	f.onSource(name, func(_ context.Context, s *source) error { *into(s) = *value; return nil })
}

func (f *Flags) list(name, usage string, into func(*source, []string) error) {
	value := f.set.StringArray(name, nil, usage+"; may be repeated")
	f.onSource(name, func(_ context.Context, s *source) error { return into(s, *value) })
}

func (f *Flags) onSource(name string, apply func(context.Context, *source) error) {
	f.source = append(f.source, change[source]{name, apply})
}

func (f *Flags) bindSource() {
	f.text("repo", "URL of the repository", func(s *source) *string { return &s.RepoURL })
	f.text("path", "folder in the repository", func(s *source) *string { return &s.Path })
	f.text("helm-chart", "name of the Helm chart", func(s *source) *string { return &s.Chart })
	f.text("revision", "branch, tag, commit or version of the chart to follow", func(s *source) *string { return &s.TargetRevision })
	f.text("tag-prefix", "what the tags start with that a version constraint looks at", func(s *source) *string { return &s.TagPrefix })
	f.text("ref", "name by which other sources refer to this one", func(s *source) *string { return &s.Ref })
	f.onSource("source-name", func(_ context.Context, s *source) error { s.Name = f.SourceName; return nil })
	plugin := f.set.String("config-management-plugin", "", "name of the config management plugin")
	f.onSource("config-management-plugin", func(_ context.Context, s *source) error {
		s.Plugin = &v1alpha1.ApplicationSourcePlugin{Name: *plugin}
		return nil
	})
	f.list("plugin-env", "environment variable of the plugin, as NAME=VALUE", setPluginEnv)
}

func setPluginEnv(s *source, pairs []string) error {
	if s.Plugin == nil {
		s.Plugin = &v1alpha1.ApplicationSourcePlugin{}
	}
	for _, pair := range pairs {
		name, value, err := assignment(pair)
		if err != nil {
			return err
		}
		put(&s.Plugin.Env, &v1alpha1.EnvEntry{Name: name, Value: value}, func(e *v1alpha1.EnvEntry) string { return e.Name })
	}
	return nil
}

func (f *Flags) bindDirectory() {
	f.yes("directory-recurse", "read the folders below the path too", func(s *source) *bool { return &directory(s).Recurse })
	f.text("directory-exclude", "glob of files to leave out", func(s *source) *string { return &directory(s).Exclude })
	f.text("directory-include", "glob of files to read", func(s *source) *string { return &directory(s).Include })
	f.jsonnet("jsonnet-tla-str", "top-level argument of Jsonnet, a string", false, func(s *source) *[]v1alpha1.JsonnetVar { return &directory(s).Jsonnet.TLAs })
	f.jsonnet("jsonnet-tla-code", "top-level argument of Jsonnet, code", true, func(s *source) *[]v1alpha1.JsonnetVar { return &directory(s).Jsonnet.TLAs })
	f.jsonnet("jsonnet-ext-var-str", "external variable of Jsonnet, a string", false, func(s *source) *[]v1alpha1.JsonnetVar { return &directory(s).Jsonnet.ExtVars })
	f.jsonnet("jsonnet-ext-var-code", "external variable of Jsonnet, code", true, func(s *source) *[]v1alpha1.JsonnetVar { return &directory(s).Jsonnet.ExtVars })
	f.list("jsonnet-libs", "folder of Jsonnet libraries, from the root of the repository", func(s *source, libs []string) error {
		directory(s).Jsonnet.Libs = append(directory(s).Jsonnet.Libs, libs...)
		return nil
	})
}

// jsonnet adds a flag for variables; one without "=" is a variable without value, as argocd has it.
func (f *Flags) jsonnet(name, usage string, code bool, into func(*source) *[]v1alpha1.JsonnetVar) {
	f.list(name, usage+", as NAME=VALUE", func(s *source, pairs []string) error {
		for _, pair := range pairs {
			key, value, _ := strings.Cut(pair, "=")
			*into(s) = append(*into(s), v1alpha1.JsonnetVar{Name: key, Value: value, Code: code})
		}
		return nil
	})
}

func directory(s *source) *v1alpha1.ApplicationSourceDirectory {
	if s.Directory == nil {
		s.Directory = &v1alpha1.ApplicationSourceDirectory{}
	}
	return s.Directory
}

type hydrator = v1alpha1.SourceHydrator

func (f *Flags) bindHydrator() {
	dry := func(name, usage string, into func(*hydrator) *string) {
		value := f.set.String(name, "", usage)
		f.hydrator = append(f.hydrator, change[hydrator]{name, func(_ context.Context, h *hydrator) error { *into(h) = *value; return nil }})
	}
	dry("dry-source-repo", "URL of the repository with the dry source", func(h *hydrator) *string { return &h.DrySource.RepoURL })
	dry("dry-source-path", "folder of the dry source", func(h *hydrator) *string { return &h.DrySource.Path })
	dry("dry-source-revision", "revision of the dry source", func(h *hydrator) *string { return &h.DrySource.TargetRevision })
	dry("sync-source-branch", "branch that the application is synced from", func(h *hydrator) *string { return &h.SyncSource.TargetBranch })
	dry("sync-source-path", "folder that the application is synced from", func(h *hydrator) *string { return &h.SyncSource.Path })
	to := f.set.String("hydrate-to-branch", "", "branch that is hydrated to; empty for that of the sync source")
	f.hydrator = append(f.hydrator, change[hydrator]{"hydrate-to-branch", func(_ context.Context, h *hydrator) error {
		h.HydrateTo = nil
		if *to != "" {
			h.HydrateTo = &v1alpha1.HydrateTo{TargetBranch: *to}
		}
		return nil
	}})
}

// assignment splits NAME=VALUE.
func assignment(pair string) (name, value string, err error) {
	name, value, ok := strings.Cut(pair, "=")
	if !ok || name == "" {
		return "", "", errors.New("it has to be NAME=VALUE")
	}
	return name, value, nil
}

// put replaces the element of the same name, or adds it at the end.
func put[S ~[]T, T any](list *S, element T, name func(T) string) {
	for i, other := range *list {
		if name(other) == name(element) {
			(*list)[i] = element
			return
		}
	}
	*list = append(*list, element)
}
