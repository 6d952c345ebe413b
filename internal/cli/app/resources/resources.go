// SPDX-License-Identifier: Apache-2.0

// Package resources is the verb `bowline app resources`: what an application consists of, down to the last Pod, and what
// lies in its namespaces that belongs to nobody. The tree is read by this process, from the cluster itself.
package resources

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Drawer draws the tree of an application.
type Drawer interface {
	// Draw returns the tree as far as it can be read. An error means that there is none.
	Draw(ctx context.Context, request Request) (Drawing, error)
}

// DrawerFunc is a function that is a Drawer.
type DrawerFunc func(ctx context.Context, request Request) (Drawing, error)

// Draw implements Drawer.
func (f DrawerFunc) Draw(ctx context.Context, request Request) (Drawing, error) {
	return f(ctx, request)
}

// Request is what to draw.
type Request struct {
	// Session leads to the cluster that holds the application.
	Session *session.Session
	// Name is namespace/name of the application.
	Name string
	// Orphans: look for objects that belong to nobody, too, if the project does.
	Orphans bool
}

// Drawing is a tree and what is known beside it.
type Drawing struct {
	Tree v1alpha1.ApplicationTree
	// App is the application, for the state of its own resources.
	App *v1alpha1.Application
	// Unknown says what could not be looked at; then there may be more than the tree shows.
	Unknown string
	// NoOrphans says why orphans were not looked for although that was asked.
	NoOrphans string
}

// The formats of trees.
const (
	Tree     output.Format = "tree"
	Detailed output.Format = "tree=detailed"
)

// Options are the flags.
type Options struct {
	Orphaned, Given bool // Given: Orphaned was said, one way or the other
	Timeout         command.Timeout
	Output          output.Format
}

// NewCmd returns the command.
func NewCmd(s *session.Session, drawer Drawer) *cobra.Command {
	opts := Options{}
	cmd := &cobra.Command{
		Use:   "resources NAME",
		Short: "List what an application consists of, with everything that came of it",
		Long: `List what an application consists of, with everything that came of it: the ReplicaSets of its Deployments, their
Pods, and so on. Objects in its namespace that belong to no application are listed too if the project looks for them
(spec.orphanedResources).

Exit code: as of every command; 3 when something could not be looked at, so that there may be more.`,
		Example: command.Example(
			"bowline app resources web",
			"bowline app resources web --orphaned",
			"bowline app resources web -o tree=detailed"),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Given = cmd.Flags().Changed("orphaned")
			return run(cmd.Context(), s, drawer, opts, args[0], cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&opts.Orphaned, "orphaned", false, "list only objects that belong to no application; =false: list none of them")
	flags.Var(&opts.Timeout, "timeout", "how long it may take (default: no limit)")
	output.Flag(flags, &opts.Output, output.Wide, Tree, Detailed, output.JSON, output.YAML)
	return cmd
}

func run(ctx context.Context, s *session.Session, drawer Drawer, opts Options, name string, w io.Writer) error {
	ctx, cancel := session.Limit(ctx, time.Duration(opts.Timeout))
	defer cancel()
	name = s.Qualified(name)
	d, err := drawer.Draw(ctx, Request{Session: s, Name: name, Orphans: opts.Orphaned || !opts.Given})
	if err != nil {
		return err
	}
	if opts.Orphaned {
		d.Tree.Nodes, d.Tree.Hosts = nil, nil
	}
	if err := Show(w, opts.Output, d, s.Now()); err != nil {
		return err
	}
	if opts.Orphaned && d.NoOrphans != "" {
		return fault.New(fault.Stalled, "look for orphans of", "application "+name, "", d.NoOrphans, "set spec.orphanedResources of the project, `{}` is enough")
	}
	return d.Incomplete(name)
}

// Incomplete is an error if there may be more than the tree shows.
func (d Drawing) Incomplete(name string) error {
	if d.Unknown == "" {
		return nil
	}
	return fault.New(fault.Stalled, "see all of", "application "+name, "", d.Unknown, "what is listed is there, but there may be more")
}

// Show writes a tree in the format.
func Show(w io.Writer, format output.Format, d Drawing, now time.Time) error {
	if ok, err := output.Encode(w, format, d.Tree); ok {
		return err
	}
	if format == Tree || format == Detailed {
		writeTree(w, d, format == Detailed, now)
		return nil
	}
	var rows [][]string
	add := func(nodes []v1alpha1.ResourceNode, orphaned string) {
		for _, n := range nodes {
			rows = append(rows, []string{n.Group, n.Kind, n.Namespace, n.Name, orphaned})
		}
	}
	add(d.Tree.Nodes, "No")
	add(d.Tree.OrphanedNodes, "Yes")
	output.Table(w, []string{"GROUP", "KIND", "NAMESPACE", "NAME", "ORPHANED"}, rows)
	return nil
}
