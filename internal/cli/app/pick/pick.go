// SPDX-License-Identifier: Apache-2.0

// Package pick chooses applications: by their names, by their labels, by their projects.
package pick

import (
	"context"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Flags choose applications that no argument names.
type Flags struct {
	Selector string
	Projects []string
}

// Bind adds the flags; projects says whether there is one for these.
func (f *Flags) Bind(flags *pflag.FlagSet, projects bool) {
	flags.StringVarP(&f.Selector, "selector", "l", "", "label selector of applications, such as team=shop, instead of names")
	if projects {
		flags.StringArrayVar(&f.Projects, "project", nil, "all applications of this project, instead of names; may be repeated")
	}
}

// Args asks for names, or for a flag in their place.
func (f *Flags) Args(cmd *cobra.Command, args []string) error {
	chosen := f.Selector != "" || len(f.Projects) > 0
	switch {
	case len(args) > 0 && chosen:
		return command.Usage(cmd, "say either names or --selector and --project")
	case len(args) == 0 && !chosen:
		return command.Usage(cmd, "it takes the name of at least one application, or --selector")
	}
	return nil
}

// Names returns the names of the arguments, or of the applications that the flags choose: at least one, each with its
// namespace as far as it is known.
func (f *Flags) Names(ctx context.Context, s *session.Session, c client.Applications, args []string) ([]string, error) {
	if len(args) > 0 {
		names := slices.Clone(args)
		for i := range names {
			names[i] = s.Qualified(names[i])
		}
		return names, nil
	}
	selector, err := labels.Parse(f.Selector)
	if err != nil {
		return nil, fault.Wrap(fault.Mistake, "use", "--selector "+f.Selector, err, "write a label selector such as team=shop")
	}
	apps, err := c.List(ctx, client.Filter{Namespace: s.ListNamespace(), Labels: selector, Projects: f.Projects})
	if err != nil {
		return nil, err
	}
	if len(apps) == 0 {
		return nil, fault.New(fault.Mistake, "choose", "applications", "", "no application has these labels and projects", "see `bowline app list --selector ...`")
	}
	var names []string
	for _, app := range apps {
		names = append(names, app.Namespace+"/"+app.Name)
	}
	return names, nil
}
