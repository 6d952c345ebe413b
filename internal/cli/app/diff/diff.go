// SPDX-License-Identifier: Apache-2.0

// Package diff is the verb `bowline app diff`. It writes what a Differ found; the comparison itself is the one the
// controller makes, run by this process.
package diff

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Differ compares what an application should be with what it is.
type Differ interface {
	// Diff returns one entry for each resource that is not known to be the same; none means that all were compared and
	// are the same. An error means that the comparison as a whole did not come to an end.
	Diff(ctx context.Context, request Request) ([]Resource, error)
}

// DifferFunc is a function that is a Differ.
type DifferFunc func(ctx context.Context, request Request) ([]Resource, error)

// Diff implements Differ.
func (f DifferFunc) Diff(ctx context.Context, request Request) ([]Resource, error) {
	return f(ctx, request)
}

// Request is what to compare.
type Request struct {
	// Session leads to the cluster that holds the application.
	Session *session.Session
	// Name is namespace/name of the application.
	Name string
	// Revision stands in for the target revision; "" does not.
	Revision string
	// Revisions are those of several sources, in their order.
	Revisions []string
	// Hard forgets what was rendered before.
	Hard bool
	// Forms asks for the whole forms of each resource.
	Forms bool
}

// State is how a resource stands.
type State string

// The states.
const (
	Different State = "different" // Changes say how
	Missing   State = "missing"   // desired, but not in the cluster
	Extra     State = "extra"     // in the cluster, no longer desired
	Unknown   State = "unknown"   // Reason says why it could not be compared
)

// Resource is one resource that is not known to be as it should be.
type Resource struct {
	Group     string   `json:"group,omitempty"`
	Kind      string   `json:"kind"`
	Namespace string   `json:"namespace,omitempty"`
	Name      string   `json:"name"`
	State     State    `json:"state"`
	Reason    string   `json:"reason,omitempty"`
	Changes   []Change `json:"changes,omitempty"`
	Forms     *Forms   `json:"forms,omitempty"` // if asked for
}

// Change is one field that differs. A nil value means that the field is absent on that side. Values of Secrets are
// redacted by who found them.
type Change struct {
	Path    string `json:"path"`
	Live    any    `json:"live"`
	Desired any    `json:"desired"`
	// Owners are the field managers that hold the field in the cluster.
	Owners []string `json:"owners,omitempty"`
}

// Forms are the whole forms of one resource; nil where there is none. Values that may not be seen are masked by who found
// them.
type Forms struct {
	Desired map[string]any `json:"desired"`
	Live    map[string]any `json:"live"`
	// NormalizedLive and PredictedLive are what is held against each other: live, and live as a sync would leave it,
	// without what is not compared.
	NormalizedLive map[string]any `json:"normalizedLive"`
	PredictedLive  map[string]any `json:"predictedLive"`
}

// The exit codes besides those of errors; errors that would be 1 are ErrorCode, so that 1 always means a difference.
const (
	DifferentCode = 1
	ErrorCode     = 2
	UnknownCode   = 3
)

// Options are the flags.
type Options struct {
	Revision  string
	Revisions []string
	Hard      bool
	Forms     bool
	ExitCode  bool
	Timeout   command.Timeout
	Output    output.Format
}

// NewCmd returns the command.
func NewCmd(s *session.Session, differ Differ) *cobra.Command {
	opts := Options{}
	cmd := &cobra.Command{
		Use:   "diff NAME",
		Short: "Show what a sync would change",
		Long: `Show what a sync would change: "-" is what is in the cluster, "+" is what should be there.

Exit code: 0 no differences, 1 differences, 2 an error, 3 no differences found but not everything could be compared.`,
		Example: command.Example(
			"bowline app diff web",
			"bowline app diff web --revision my-branch",
			"bowline app diff web --forms --output yaml"),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), s, differ, opts, args[0], cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.Revision, "revision", "", "compare with this revision instead of the target revision")
	flags.StringArrayVar(&opts.Revisions, "revisions", nil, "revision of each source, in their order, for an application with several")
	flags.BoolVar(&opts.Hard, "hard-refresh", false, "render anew")
	flags.BoolVar(&opts.Forms, "forms", false, "add each resource as a whole: desired, live, and the two forms that are compared (with --output json or yaml)")
	flags.BoolVar(&opts.ExitCode, "exit-code", true, "exit with 1 when there are differences")
	flags.Var(&opts.Timeout, "timeout", "how long it may take (default: no limit)")
	output.Flag(flags, &opts.Output, output.Wide, output.JSON, output.YAML)
	return cmd
}

func run(ctx context.Context, s *session.Session, differ Differ, opts Options, name string, w io.Writer) error {
	if opts.Forms && opts.Output != output.JSON && opts.Output != output.YAML {
		return notDifferent{fault.New(fault.Mistake, "show", "whole forms", "--forms", "they are data, not lines", "add --output json or --output yaml")}
	}
	ctx, cancel := session.Limit(ctx, time.Duration(opts.Timeout))
	defer cancel()
	resources, err := differ.Diff(ctx, Request{
		Session: s, Name: s.Qualified(name), Revision: opts.Revision, Revisions: opts.Revisions, Hard: opts.Hard, Forms: opts.Forms,
	})
	if err != nil {
		return notDifferent{err}
	}
	if resources == nil {
		resources = []Resource{} // a program is to read an empty list
	}
	ok, err := output.Encode(w, opts.Output, resources)
	if !ok {
		WriteResources(w, resources)
	}
	if err != nil {
		return err
	}
	return verdict(resources, opts.ExitCode)
}

// verdict is the exit code. What could not be compared is never taken for equal.
func verdict(resources []Resource, differencesCount bool) error {
	unknown := false
	for _, r := range resources {
		if r.State != Unknown && differencesCount {
			return command.Status(DifferentCode)
		}
		unknown = unknown || r.State == Unknown
	}
	if unknown {
		return command.Status(UnknownCode)
	}
	return nil
}

// notDifferent keeps an error from having the exit code that means "different".
type notDifferent struct{ error }

func (e notDifferent) Unwrap() error { return e.error }

// ExitCode implements command.Coded.
func (e notDifferent) ExitCode() int {
	if code := fault.ExitCode(e.error); code != DifferentCode {
		return code
	}
	return ErrorCode
}

// WriteResources writes what differs for people.
func WriteResources(w io.Writer, resources []Resource) {
	for _, r := range resources {
		title := output.Clean(fmt.Sprintf("===== %s/%s %s =====", r.Group, r.Kind, name(r)))
		switch r.State {
		case Missing:
			fmt.Fprintf(w, "%s missing: a sync makes it\n", title)
		case Extra:
			fmt.Fprintf(w, "%s no longer in the source: a sync with --prune deletes it\n", title)
		case Unknown:
			fmt.Fprintf(w, "%s could not be compared: %s\n", title, output.Clean(r.Reason))
		default:
			fmt.Fprintln(w, title)
			if r.Reason != "" {
				fmt.Fprintln(w, output.Clean(r.Reason))
			}
		}
		for _, change := range r.Changes {
			writeChange(w, change)
		}
	}
}

func name(r Resource) string {
	if r.Namespace == "" {
		return r.Name
	}
	return r.Namespace + "/" + r.Name
}
