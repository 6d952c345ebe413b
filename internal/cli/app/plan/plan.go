// SPDX-License-Identifier: Apache-2.0

// Package plan is the verb `bowline app plan`. It writes what a Planner found; the plan itself is the one the controller
// makes: made by a server, or straight on the cluster by this process.
package plan

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/plan"
)

// Planner plans syncs.
type Planner interface {
	// Plan returns what a sync would do. An error means that there is no plan.
	Plan(ctx context.Context, request Request) (Planned, error)
}

// PlannerFunc is a function that is a Planner.
type PlannerFunc func(ctx context.Context, request Request) (Planned, error)

// Plan implements Planner.
func (f PlannerFunc) Plan(ctx context.Context, request Request) (Planned, error) {
	return f(ctx, request)
}

// Request is what to plan.
type Request struct {
	// Session leads to the cluster that holds the application.
	Session *session.Session
	// Name is namespace/name of the application.
	Name string
	// Sync is what a person would ask for; nil plans the sync that would come next.
	Sync *v1alpha1.SyncOperation
}

// Planned is a plan, with what keeps it from being carried out.
type Planned struct {
	Application string   `json:"application"`
	Revisions   []string `json:"revisions"`
	// Automated says that the sync comes by itself, Begins that it would now; Because says why, or why not.
	Automated bool   `json:"automated"`
	Begins    bool   `json:"begins"`
	Because   string `json:"because,omitempty"`
	// Approve is the command that confirms the deletions that wait; "" if none does, or if the controller has not noted
	// them yet: then they cannot be approved, and Unnoted says so.
	Approve string `json:"approve,omitempty"`
	Unnoted string `json:"unnoted,omitempty"`
	plan.View
	// Text is the plan for people.
	Text string `json:"-"`
}

// Confirms fills in how the deletions that wait are approved: under digest, its short form; "" if the controller has not noted them.
func (p *Planned) Confirms(name, digest string) {
	switch {
	case p.Approval == "":
	case digest != "":
		p.Approve = "bowline app approve " + name + " " + digest
	default:
		p.Unnoted = "What waits can be approved once the controller has found it: at the next sync."
	}
}

// Options are the flags.
type Options struct {
	Sync      v1alpha1.SyncOperation
	Resources []string
	Timeout   command.Timeout
	Output    output.Format
}

// The formats of plans.
const text output.Format = "text"

// NewCmd returns the command.
func NewCmd(s *session.Session, planner Planner) *cobra.Command {
	opts := Options{}
	cmd := &cobra.Command{
		Use:   "plan NAME",
		Short: "Show what a sync would do, step by step, and what waits for a person",
		Long: `Show what a sync would do, step by step: phases, waves, hooks, deletions, what is waited for. Nothing is done.

Without flags it is the sync that would come next: the automated one, with what the deletion guard holds back, or one by
hand. With --prune, --revision or --resource it is a sync by hand.

The digest names the work: as long as it is the same a sync would do the same to the same objects. Deletions that wait
for a person have a digest of their own, and the command that approves them is the last line.`,
		Example: command.Example(
			"bowline app plan web",
			"bowline app plan web --prune --revision v1.2.3",
			"bowline app plan web -o json"),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			request, err := opts.request(cmd, s, args[0])
			if err != nil {
				return err
			}
			return run(cmd.Context(), planner, opts, request, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.Sync.Revision, "revision", "", "plan a sync to this revision instead of the target revision")
	flags.StringArrayVar(&opts.Sync.Revisions, "revisions", nil, "revision of each source, in their order, for an application with several")
	flags.BoolVar(&opts.Sync.Prune, "prune", false, "plan a sync that deletes what is no longer in the source")
	flags.StringArrayVar(&opts.Resources, "resource", nil, "plan a sync of only this object, as GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME; may be repeated")
	flags.Var(&opts.Timeout, "timeout", "how long it may take (default: no limit)")
	output.Flag(flags, &opts.Output, text, output.JSON, output.YAML)
	return cmd
}

func (o *Options) request(cmd *cobra.Command, s *session.Session, name string) (Request, error) {
	request := Request{Session: s, Name: s.Qualified(name)}
	for _, raw := range o.Resources {
		resource, err := command.Resource(raw)
		if err != nil {
			return request, command.Usage(cmd, err.Error())
		}
		o.Sync.Resources = append(o.Sync.Resources, resource)
	}
	for _, flag := range []string{"revision", "revisions", "prune", "resource"} {
		if cmd.Flags().Changed(flag) {
			request.Sync = &o.Sync
		}
	}
	return request, nil
}

func run(ctx context.Context, planner Planner, opts Options, request Request, w io.Writer) error {
	ctx, cancel := session.Limit(ctx, time.Duration(opts.Timeout))
	defer cancel()
	planned, err := planner.Plan(ctx, request)
	if err != nil {
		return err
	}
	if ok, err := output.Encode(w, opts.Output, planned); ok {
		return err
	}
	write(w, planned)
	return nil
}

func write(w io.Writer, p Planned) {
	field := func(label, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-20s%s\n", label, output.Clean(value))
		}
	}
	field("Application:", p.Application)
	field("Revision:", strings.Join(p.Revisions, ", "))
	field("Sync:", p.kind())
	field("Summary:", p.Summary)
	field("Digest:", client.ShortDigest(string(p.Digest)))
	fmt.Fprintln(w)
	for line := range strings.Lines(p.Text) {
		fmt.Fprintln(w, output.Clean(strings.TrimSuffix(line, "\n")))
	}
	if p.Unnoted != "" {
		fmt.Fprintf(w, "\n%s\n", output.Clean(p.Unnoted))
	}
	if p.Approve != "" {
		fmt.Fprintf(w, "\nApprove what waits with:\n  %s\n", p.Approve)
	}
}

// kind says which sync it is and whether it begins.
func (p *Planned) kind() string {
	switch {
	case !p.Automated:
		return "by hand"
	case p.Begins:
		return "automated, begins by itself: " + p.Because
	default:
		return "automated, does not begin now: " + p.Because
	}
}
