// SPDX-License-Identifier: Apache-2.0

// Package actions are the verbs `bowline app actions list` and `bowline app actions run`: what can be done to single
// objects of an application. They write what an Actor found and did.
package actions

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/internal/action"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// Opener leads to an application's objects.
type Opener func(ctx context.Context, target Target) (Actor, error)

// Actor knows and carries out the actions of the objects that a target chooses.
type Actor interface {
	// Objects returns the objects, sorted, each with the actions that it offers now. An object whose actions are not
	// known has an Err; an error means that the objects are not known.
	Objects(ctx context.Context) ([]Object, error)
	// Run carries out an action on some of those objects, in their order, and stops at the first error. It returns what
	// was done until then.
	Run(ctx context.Context, objects []Object, order Order) ([]Done, error)
	// Close lets go of the cluster.
	Close()
}

// Target chooses objects of an application.
type Target struct {
	// Session leads to the cluster that holds the application.
	Session *session.Session
	// App is namespace/name of the application.
	App string
	// Kind, Group, Namespace and Name choose objects; an empty one chooses any.
	Kind, Group, Namespace, Name string
}

// Object is one object with its actions.
type Object struct {
	Group, Version, Kind, Namespace, Name string
	Actions                               []action.Action
	Err                                   error
}

// String returns "Kind namespace/name".
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// Order is what to do to objects.
type Order struct {
	Action string
	Params map[string]string
	// DryRun asks the API server to check it and to do nothing.
	DryRun bool
}

// Done is one object that was written.
type Done struct {
	Group     string `json:"group,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Outcome is created, patched or unchanged.
	Outcome string `json:"outcome"`
}

// NewCmd returns the command with both verbs.
func NewCmd(s *session.Session, open Opener) *cobra.Command {
	return command.Group("actions", "List and run actions of single objects: restart, resume, refresh and the like",
		newListCmd(s, open), newRunCmd(s, open))
}

// bind adds the flags that choose objects.
func (t *Target) bind(flags *pflag.FlagSet) {
	flags.StringVar(&t.Kind, "kind", "", "kind of the objects, such as Deployment")
	flags.StringVar(&t.Group, "group", "", "API group of the kind (default: any)")
	flags.StringVar(&t.Name, "resource-name", "", "name of the object (default: any)")
	flags.StringVar(&t.Namespace, "resource-namespace", "", "namespace of the object (default: any)")
}
