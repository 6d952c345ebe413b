// SPDX-License-Identifier: Apache-2.0

// Package plugin is the client of config management plugins: programs that turn a folder of a repository into manifests
// and that run in sidecar containers, behind Argo CD's argocd-cmp-server. It speaks version 2 of that protocol (plugin.proto), so that
// a sidecar that works with Argo CD works here as it is.
//
// The words of this room:
//
//   - Plugin: what a sidecar offers, named by its socket: <name>.sock, or <name>-<version>.sock if its configuration
//     declares a version.
//   - Sidecar: the process behind the socket. It gets a private copy of the repository for each call, and removes it afterwards.
//   - Archive: the tar.gz in which the repository is sent.
//   - Discovery: asking the plugins, in the order of their sockets' names, which of them wants to render a folder that names none.
//   - Announcement: a parameter that a plugin says it takes.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
)

// DefaultDir is where sidecars written for Argo CD put their sockets.
const DefaultDir = "/home/argocd/cmp-server/plugins"

// Options of a Client. The zero value works.
type Options struct {
	// Dir is the folder of the sockets; DefaultDir.
	Dir string
	// Timeout is how long a sidecar may take to say how it is configured; 10 seconds. Limits.Time of the render
	// bounds everything else.
	Timeout time.Duration
	// Settings returns those of the moment; nil is the zero value of all.
	Settings func() Settings
	// Parallel bounds the archives that are made and sent at a time; 4.
	Parallel int
	// Temp is the folder for archives, each of which is removed as soon as it is opened; os.TempDir.
	Temp string
	// Log gets a line for each plugin that is called; nil is none.
	Log *slog.Logger
}

// Settings are what an installation decides. The zero value works.
type Settings struct {
	// Exclusions are globs (path.Match) of paths that are not sent (reposerver.plugin.tar.exclusions).
	Exclusions []string
	// Expected are plugins that have to be there before discovery says that no plugin wants a folder
	// (bowline.plugin.expected): while Bowline starts, a sidecar may be later than Bowline, and its applications must not be
	// taken for plain folders meanwhile.
	Expected []string
	// MaxTar bounds all files that are sent, together (bowline.plugin.maxTar); 0 is 1 GiB.
	MaxTar int64
}

const defaultMaxTar = 1 << 30

// Client asks plugins. It is safe for concurrent use.
type Client struct {
	options Options
	turns   chan struct{}
	found   matches
}

// New returns a Client. It connects to nothing before it is asked.
func New(options Options) *Client {
	if options.Dir == "" {
		options.Dir = DefaultDir
	}
	if options.Timeout <= 0 {
		options.Timeout = 10 * time.Second
	}
	if options.Settings == nil {
		options.Settings = func() Settings { return Settings{} }
	}
	if options.Parallel <= 0 {
		options.Parallel = 4
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{options: options, turns: make(chan struct{}, options.Parallel)}
}

// Discover finds the plugin that wants to render the source's folder: the first, by name, whose discovery rule says so.
// ok is false if there is none. A plugin that does not answer is an error, and not taken as no: a folder that is
// rendered by it on other days would be read as plain manifests, and its objects deleted.
//
// If there is a plugin with a discovery rule, the whole tree is read.
func (c *Client) Discover(ctx context.Context, in render.Input) (name string, ok bool, err error) {
	in.Limits = in.Limits.WithDefaults()
	sockets, err := c.sockets()
	if err != nil {
		return "", false, err
	}
	if err := c.complete(sockets, in); err != nil {
		return "", false, err
	}
	call := c.call(in)
	defer call.close()
	for _, s := range sockets {
		config, err := call.configuration(ctx, s)
		if err != nil {
			return "", false, err
		}
		if !config.discovers {
			continue
		}
		supported, err := call.match(ctx, s)
		if err != nil {
			return "", false, err
		}
		if supported {
			c.found.add(s, in)
			return s.name, true, nil
		}
	}
	return "", false, nil
}

// Render has the plugin that the source names make its manifests. A plugin with a discovery rule is asked first, as
// Argo CD does: one that does not want the folder is not made to render it.
//
// The whole tree is read, and every variable of the build environment used: what a plugin looks at is not known.
// Errors are *fault.Error, with what the plugin's command wrote to its standard error.
func (c *Client) Render(ctx context.Context, in render.Input) (render.Output, error) {
	in.Limits = in.Limits.WithDefaults()
	out := render.Output{Type: v1alpha1.ApplicationSourceTypePlugin}
	err := c.render(ctx, in, &out)
	out.Used = in.Trace.Used()
	return out, err
}

func (c *Client) render(ctx context.Context, in render.Input, out *render.Output) error {
	s, err := c.named(in)
	if err != nil {
		return err
	}
	call := c.call(in)
	defer call.close()
	config, err := call.configuration(ctx, s)
	if err != nil {
		return err
	}
	if config.discovers && !c.found.take(s, in) {
		supported, err := call.match(ctx, s)
		if err != nil {
			return err
		}
		if !supported {
			return fault.New(fault.Mistake, "render", call.folder(), in.Field("plugin.name"),
				"the discovery rule of plugin "+s.name+" does not match it", "name another plugin, or change spec.discover of this one's plugin.yaml")
		}
	}
	if config.wantsGitCredentials {
		out.Warnings = append(out.Warnings, "plugin "+s.name+" asks for the credentials of the repository (provideGitCreds), which Bowline does not hand out: "+
			"what its commands fetch from private repositories will fail; give the sidecar credentials of its own")
	}
	manifests, err := call.generate(ctx, s)
	if err != nil {
		return err
	}
	return call.read(s, manifests, out)
}

// read turns what a plugin gave into manifests.
func (c *call) read(s socket, texts []string, out *render.Output) error {
	for i, text := range texts {
		file := fmt.Sprintf("part %d of what plugin %s gave", i+1, s.name)
		manifests, warnings, err := render.Documents(file, []byte(text), c.in.Index)
		if err != nil {
			return c.unreadable(s, err)
		}
		out.Manifests, out.Warnings = append(out.Manifests, manifests...), append(out.Warnings, warnings...)
		if len(out.Manifests) > c.in.Limits.Objects {
			out.Manifests = nil
			return c.tooMany(s)
		}
	}
	for i := range out.Manifests {
		out.Manifests[i].Origin = object.Origin{File: "plugin " + s.name, Source: c.in.Index}
	}
	if len(out.Manifests) == 0 {
		out.Warnings = append(out.Warnings, "plugin "+s.name+" gave no manifests for "+c.folder())
	}
	return nil
}

// unreadable says that the text of a plugin is no manifest: that is mended in the repository or in the plugin.
func (c *call) unreadable(s socket, err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		copied := *known
		copied.Fix = "run plugin " + s.name + " on this folder by hand: its standard output must be nothing but Kubernetes objects"
		return &copied
	}
	return fault.Wrap(fault.Mistake, "read", "what plugin "+s.name+" gave", err, "")
}

func (c *call) tooMany(s socket) error {
	return fault.New(fault.Mistake, "render", c.folder(), c.in.Field("plugin"),
		fmt.Sprintf("plugin %s gave more than %d objects", s.name, c.in.Limits.Objects), "split the application, or raise bowline.render.maxObjects in argocd-cm")
}

// Announcement is a parameter that a plugin says it takes, for people who fill in spec.source.plugin.parameters.
type Announcement struct {
	Name, Title, Tooltip     string
	Required                 bool
	ItemType, CollectionType string
	String                   string
	Array                    []string
	Map                      map[string]string
}

// Announce returns the parameters that the plugin of a source takes, as the source's plugin.name says or discovery.
func (c *Client) Announce(ctx context.Context, in render.Input) ([]Announcement, error) {
	in.Limits = in.Limits.WithDefaults()
	if in.Source.Plugin == nil || in.Source.Plugin.Name == "" {
		name, ok, err := c.Discover(ctx, in)
		if err != nil || !ok {
			return nil, err
		}
		plugin := v1alpha1.ApplicationSourcePlugin{}
		if in.Source.Plugin != nil {
			plugin = *in.Source.Plugin
		}
		plugin.Name = name
		in.Source.Plugin = &plugin
	}
	s, err := c.named(in)
	if err != nil {
		return nil, err
	}
	call := c.call(in)
	defer call.close()
	return call.announcements(ctx, s)
}
