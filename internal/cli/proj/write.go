// SPDX-License-Identifier: Apache-2.0

package proj

import (
	"fmt"
	"reflect"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/editor"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

func newCreateCmd(s *session.Session) *cobra.Command {
	opts, file, upsert := options{}, "", false
	cmd := &cobra.Command{
		Use: "create [PROJECT]", Short: "Create a project", Args: command.AtMostOne("PROJECT"),
		Example: command.Example("bowline proj create shop -s https://git.example.com/shop -d https://kubernetes.default.svc,shop-*",
			"bowline proj create -f shop.yaml --upsert"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := wanted(cmd, args, file, &opts)
			if err != nil {
				return err
			}
			service, err := projects(cmd.Context(), s)
			if err != nil {
				return err
			}
			_, err = service.Create(cmd.Context(), &project.ProjectCreateRequest{Project: p, Upsert: upsert})
			return err
		},
	}
	opts.bind(cmd.Flags())
	cmd.Flags().StringVarP(&file, "file", "f", "", "file or URL of a manifest, or - for standard input")
	cmd.Flags().BoolVar(&upsert, "upsert", false, "change the project if it exists and is another")
	return cmd
}

// wanted makes the project that arguments, flags and a manifest describe.
func wanted(cmd *cobra.Command, args []string, file string, opts *options) (*v1alpha1.AppProject, error) {
	p := &v1alpha1.AppProject{}
	if file != "" {
		data, err := command.Read(cmd.Context(), cmd, file)
		if err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(data, p); err != nil {
			return nil, &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the manifest of a project", Where: fault.RedactURL(file), Err: err, Fix: "mend the manifest"}
		}
	}
	switch {
	case len(args) == 1 && p.Name != "" && p.Name != args[0]:
		return nil, command.Usage(cmd, fmt.Sprintf("the project is named %q, but %q in the manifest", args[0], p.Name))
	case len(args) == 1:
		p.Name = args[0]
	case p.Name == "":
		return nil, command.Usage(cmd, "the project has no name")
	}
	p.SetGroupVersionKind(v1alpha1.AppProjectSchemaGroupVersionKind)
	_, err := opts.apply(cmd, &p.Spec)
	return p, err
}

func newSetCmd(s *session.Session) *cobra.Command {
	opts := options{}
	cmd := &cobra.Command{
		Use: "set PROJECT", Short: "Change what a project is", Args: command.Exactly("PROJECT"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj set shop --description 'All of the shop'"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
				given, err := opts.apply(cmd, &p.Spec)
				if err == nil && !given {
					err = command.Usage(cmd, "no flag says what to change")
				}
				return given, err
			})
		},
	}
	opts.bind(cmd.Flags())
	return cmd
}

func newEditCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use: "edit PROJECT", Short: "Change the spec of a project in an editor", Args: command.Exactly("PROJECT"), ValidArgsFunction: complete.First(s, complete.Projects),
		Long: `Change the spec of a project in an editor: that of $KUBE_EDITOR, else of $EDITOR, else vi. What is refused is opened again
with the reason in a comment; saving it as it was opened gives up.`,
		Example: command.Example("bowline proj edit shop"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, p, err := fetch(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			text, err := yaml.Marshal(p.Spec)
			if err != nil {
				return fault.Wrap(fault.Bug, "write", "project "+args[0], err, "")
			}
			return editor.Edit(cmd, "project "+args[0], text, func(edited []byte) error {
				spec := v1alpha1.AppProjectSpec{}
				if err := yaml.UnmarshalStrict(edited, &spec); err != nil {
					return err
				}
				return update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
					same := reflect.DeepEqual(p.Spec, spec)
					p.Spec = spec
					return !same, nil
				})
			})
		},
	}
}

func newDeleteCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use: "delete PROJECT...", Short: "Delete projects that no application is of", Args: command.AtLeastOne("PROJECT"),
		ValidArgsFunction: complete.Every(s, complete.Projects), Example: command.Example("bowline proj delete shop"),
		RunE: func(cmd *cobra.Command, args []string) error {
			service, err := projects(cmd.Context(), s)
			if err != nil {
				return err
			}
			for _, name := range args {
				if yes, err := confirmed(cmd, s, "project '"+name+"'"); err != nil || !yes {
					if err != nil {
						return err
					}
					continue
				}
				if _, err := service.Delete(cmd.Context(), &project.ProjectQuery{Name: name}); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
