// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// roles says where argocd-rbac-cm is.
type roles struct {
	session *session.Session
	connect reach.Connect
	file    string
}

func newRBACCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	return command.Group("rbac", "Try roles before they are in force", newCanCmd(s, connect), newRBACValidateCmd(s, connect))
}

func (r *roles) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.file, "policy-file", "", "file with the lines of a policy, or with argocd-rbac-cm (default: that of the control namespace)")
}

// data returns the keys of argocd-rbac-cm.
func (r *roles) data(cmd *cobra.Command) (map[string]string, error) {
	if r.file != "" {
		text, err := command.Read(cmd.Context(), cmd, r.file)
		if err != nil {
			return nil, err
		}
		cm := &corev1.ConfigMap{}
		if yaml.Unmarshal(text, cm) == nil && cm.Data != nil {
			return cm.Data, nil
		}
		return map[string]string{"policy.csv": string(text)}, nil
	}
	c, err := r.connect(r.session)
	if err != nil {
		return nil, err
	}
	cm := &corev1.ConfigMap{}
	key := kube.ObjectKey{Namespace: r.session.Namespace, Name: v1alpha1.RBACConfigMapName}
	return cm.Data, reach.Explain(c.Get(cmd.Context(), key, cm), "read", "ConfigMap "+key.String())
}

// newRBACValidateCmd returns the command rbac validate.
func newRBACValidateCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	from := roles{session: s, connect: connect}
	cmd := &cobra.Command{
		Use:     "validate",
		Short:   "Say what is wrong with the lines of a policy",
		Example: command.Example("bowline admin settings rbac validate --policy-file policy.csv"),
		Args:    command.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			data, err := from.data(cmd)
			if err != nil {
				return err
			}
			if _, problems := access.NewPolicy(data); len(problems) > 0 {
				for _, problem := range problems {
					fmt.Fprintln(cmd.OutOrStdout(), output.Clean(problem.Error()))
				}
				return fault.New(fault.Mistake, "use", "the policy", "", fmt.Sprintf("wrong lines: %d", len(problems)), "correct them")
			}
			fmt.Fprintln(cmd.OutOrStdout(), "Policy is valid.")
			return nil
		},
	}
	from.bind(cmd)
	return cmd
}

// question is what rbac can is asked.
type question struct {
	defaultRole             string
	builtIn, strict, silent bool
	explain                 bool
	subject                 access.Subject
	right                   access.Right
}

// newCanCmd returns the command rbac can.
func newCanCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	var ask question
	from := roles{session: s, connect: connect}
	cmd := &cobra.Command{
		Use:   "can ROLE/SUBJECT ACTION RESOURCE [SUB-RESOURCE]",
		Short: "Say whether a role or a subject may do something",
		Long: `Say whether a role, an account, a user or a group may do something, by argocd-rbac-cm alone: roles of projects do not
count. With --explain it says which line decides.

Exit code: 0 if it may, 1 if not, 2 if the question or the policy is wrong.`,
		Example: command.Example(
			"bowline admin settings rbac can role:deployer sync application shop/web --policy-file policy.csv",
			"bowline admin settings rbac can alice get logs 'shop/*' --explain"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 3 || len(args) > 4 {
				return command.Usage(cmd, fmt.Sprintf("it takes a role or subject, an action, a resource and maybe an object, but got %d arguments", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := ask.read(cmd, args); err != nil {
				return err
			}
			data, err := from.data(cmd)
			if err != nil {
				return err
			}
			return ask.answer(cmd, data)
		},
	}
	from.bind(cmd)
	flags := cmd.Flags()
	flags.StringVar(&ask.defaultRole, "default-role", "", "role that everybody has (default: policy.default)")
	flags.BoolVar(&ask.builtIn, "use-builtin-policy", true, "have the built-in roles too")
	flags.BoolVar(&ask.strict, "strict", true, "refuse resources and actions that there are not")
	flags.BoolVarP(&ask.silent, "quiet", "q", false, "write nothing")
	flags.BoolVar(&ask.explain, "explain", false, "say which line decides")
	return cmd
}

func (q *question) read(cmd *cobra.Command, args []string) error {
	q.subject = access.Subject{Name: args[0], Local: true}
	q.right = access.Right{Action: args[1], Resource: resourceNamed(args[2])}
	if len(args) == 4 {
		q.right.Object = args[3]
	}
	if _, _, ok := access.ParseRoleSubject(args[0]); ok {
		q.subject = access.Subject{Name: args[0], Role: true}
	}
	if q.strict {
		if err := valid(q.right); err != nil {
			return command.Usage(cmd, err.Error())
		}
	}
	if slices.Contains(projectScoped, q.right.Resource) && (q.right.Object == "" || q.right.Object == "*") {
		q.right.Object = "*/*"
	}
	return nil
}

func (q *question) answer(cmd *cobra.Command, data map[string]string) error {
	compile := access.NewOwnPolicy
	if q.builtIn {
		compile = access.NewPolicy
	}
	policy, problems := compile(data)
	if len(problems) > 0 {
		return problems[0]
	}
	if q.defaultRole != "" {
		policy.Default = q.defaultRole
	}
	ruling := policy.Rule(q.subject, q.right, nil)
	if !q.silent {
		fmt.Fprintln(cmd.OutOrStdout(), map[bool]string{true: "Yes", false: "No"}[ruling.Allowed])
	}
	if q.explain && !q.silent {
		fmt.Fprintln(cmd.OutOrStdout(), output.Clean(ruling.Reason))
	}
	if !ruling.Allowed {
		return command.Status(1)
	}
	return nil
}

// resourceNamed returns the resource that a short or singular name means.
func resourceNamed(name string) string {
	switch name {
	case "app", "apps", "application":
		return access.Applications
	case "appset", "appsets", "applicationset":
		return access.ApplicationSets
	case "proj", "projs", "project":
		return access.Projects
	case "repo", "repos", "repository":
		return access.Repositories
	case "cert", "certs", "certificate":
		return access.Certificates
	case "gpgkey", "key":
		return access.GPGKeys
	case "account", "cluster", "extension", "log":
		return name + "s"
	}
	return name
}

// projectScoped are the resources whose objects are <project>/<name>.
var projectScoped = []string{access.Applications, access.ApplicationSets, access.Logs, access.Exec, access.Clusters, access.Repositories}

// actions are what can be done to a resource; those that end with / go on with a path.
var actions = map[string][]string{
	access.Accounts:        {access.Create, access.Get, access.Update},
	access.Applications:    {access.Get, access.Create, access.Update, access.Delete, access.Sync, access.Rollback, access.Override, "update/", "delete/", "action/"},
	access.ApplicationSets: {access.Get, access.Create, access.Update, access.Delete},
	access.Certificates:    {access.Get, access.Create, access.Update, access.Delete},
	access.Clusters:        {access.Get, access.Create, access.Update, access.Delete},
	access.Repositories:    {access.Get, access.Create, access.Update, access.Delete},
	access.WriteRepos:      {access.Get, access.Create, access.Update, access.Delete},
	access.Projects:        {access.Get, access.Create, access.Update, access.Delete},
	access.GPGKeys:         {access.Get, access.Create, access.Delete},
	access.Logs:            {access.Get},
	access.Exec:            {access.Create},
	access.Extensions:      {access.Invoke},
}

func valid(right access.Right) error {
	known, ok := actions[right.Resource]
	if !ok {
		return fmt.Errorf("there is no resource %q", right.Resource)
	}
	for _, action := range known {
		if right.Action == action || right.Action == "*" || strings.HasSuffix(action, "/") && strings.HasPrefix(right.Action, action) {
			return nil
		}
	}
	return fmt.Errorf("%q is nothing that can be done to %s: there are %s", right.Action, right.Resource, strings.Join(known, ", "))
}
