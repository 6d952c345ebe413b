// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/action"
	appdiff "github.com/bowline-cd/bowline/internal/cli/app/diff"
	"github.com/bowline-cd/bowline/internal/cli/app/spec"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

func newOverridesCmd(from *origin) *cobra.Command {
	return command.Group("resource-overrides", "Try what argocd-cm says of a kind on a manifest",
		from.trial("health MANIFEST", "Say how healthy an object is", from.health),
		from.trial("ignore-differences MANIFEST", "Show the fields that are not compared", from.ignoredDifferences),
		from.trial("ignore-resource-updates MANIFEST", "Show the fields whose changes cause no work", from.ignoredUpdates),
		from.trial("list-actions MANIFEST", "List what can be done to an object", from.listActions),
		newRunActionCmd(from))
}

// trial returns a command that reads a manifest and the settings and tries these on it.
func (o *origin) trial(use, short string, try func(io.Writer, *unstructured.Unstructured, settings.Settings) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: manifests(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			u, s, err := o.read(cmd, args[0])
			if err != nil {
				return err
			}
			return try(cmd.OutOrStdout(), u, s)
		},
	}
}

func manifests(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return command.Usage(cmd, fmt.Sprintf("it is used as %q, but got %d arguments", cmd.UseLine(), len(args)))
		}
		return nil
	}
}

// read returns the manifest and the settings. Overrides that are wrong are an error: what they would say is not known.
func (o *origin) read(cmd *cobra.Command, path string) (*unstructured.Unstructured, settings.Settings, error) {
	u, err := manifest(cmd, path)
	if err != nil {
		return nil, settings.Settings{}, err
	}
	if err := o.load(cmd); err != nil {
		return nil, settings.Settings{}, err
	}
	s, problems := o.settings()
	problems = slices.DeleteFunc(problems, func(err error) bool { return groupOf(err) != "resource-overrides" })
	return u, s, errors.Join(problems...)
}

// kindOf names the kind of an object as argocd does.
func kindOf(u *unstructured.Unstructured) string {
	gvk := u.GroupVersionKind()
	return gvk.Group + "/" + gvk.Kind
}

func (o *origin) health(w io.Writer, u *unstructured.Unstructured, s settings.Settings) error {
	checks, problems := health.CompileOverrides(s.Customizations)
	if len(problems) > 0 {
		return problems[0]
	}
	judge := health.NewJudge(checks, s.HealthConventions)
	if s.ApplicationHealth {
		judge = judge.WithApplications()
	}
	status, known := judge.Of(u)
	if !known {
		fmt.Fprintf(w, "Health script is not configured for '%s'\n", output.Clean(kindOf(u)))
		return nil
	}
	fmt.Fprintf(w, "STATUS: %s\nMESSAGE: %s\n", status.Status, output.Clean(status.Message))
	return nil
}

func (o *origin) ignoredDifferences(w io.Writer, u *unstructured.Unstructured, s settings.Settings) error {
	return leave(w, u, s, s.IgnoreDifferences, "Ignore differences are")
}

func (o *origin) ignoredUpdates(w io.Writer, u *unstructured.Unstructured, s settings.Settings) error {
	var rules v1alpha1.IgnoreDifferences
	for _, c := range s.Customizations {
		if c.IgnoreUpdates != nil {
			rules = append(rules, *c.IgnoreUpdates)
		}
	}
	return leave(w, u, s, rules, "Ignore resource updates are")
}

// leave shows what rules leave out of an object.
func leave(w io.Writer, u *unstructured.Unstructured, s settings.Settings, given v1alpha1.IgnoreDifferences, what string) error {
	matching, err := matchingRules(u, given)
	if err != nil {
		return err
	}
	if len(matching) == 0 {
		fmt.Fprintf(w, "%s not configured for '%s'\n", what, output.Clean(kindOf(u)))
		return nil
	}
	rules, err := diff.NewRules(diff.RuleSettings{Common: matching, JQTimeout: s.JQTimeout})
	if err != nil {
		return err
	}
	left, err := rules.Leave(u)
	if err != nil {
		return err
	}
	changes := appdiff.Between(u.Object, left.Object)
	if len(changes) == 0 {
		fmt.Fprintln(w, "No fields of this object are ignored.")
		return nil
	}
	fmt.Fprintln(w, "Following fields are ignored:")
	appdiff.Write(w, changes)
	return nil
}

func matchingRules(u *unstructured.Unstructured, rules v1alpha1.IgnoreDifferences) (v1alpha1.IgnoreDifferences, error) {
	var out v1alpha1.IgnoreDifferences
	for _, rule := range rules {
		group, err := object.CompileGlob(rule.Group)
		if err != nil {
			return nil, err
		}
		kind, err := object.CompileGlob(rule.Kind)
		if err != nil {
			return nil, err
		}
		if gvk := u.GroupVersionKind(); group.Match(gvk.Group) && kind.Match(gvk.Kind) {
			out = append(out, rule)
		}
	}
	return out, nil
}

func (o *origin) listActions(w io.Writer, u *unstructured.Unstructured, s settings.Settings) error {
	catalog, problems := action.New(s.Customizations)
	if len(problems) > 0 {
		return problems[0]
	}
	found, err := catalog.Discover(u)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		fmt.Fprintf(w, "Actions are not configured for '%s'\n", output.Clean(kindOf(u)))
		return nil
	}
	var rows [][]string
	for _, a := range found {
		rows = append(rows, []string{a.Name, fmt.Sprint(a.Disabled)})
	}
	output.Table(w, []string{"NAME", "DISABLED"}, rows)
	return nil
}

// newRunActionCmd returns the command run-action.
func newRunActionCmd(from *origin) *cobra.Command {
	var given []string
	cmd := &cobra.Command{
		Use: "run-action MANIFEST ACTION", Aliases: []string{"action"}, Args: manifests(2),
		Short:   "Show what an action would change",
		Example: command.Example("bowline admin settings resource-overrides run-action deployment.yaml restart --argocd-cm-path argocd-cm.yaml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			params, err := spec.Pairs(given)
			if err != nil {
				return command.Usage(cmd, "--param: "+err.Error())
			}
			u, s, err := from.read(cmd, args[0])
			if err != nil {
				return err
			}
			catalog, problems := action.New(s.Customizations)
			if len(problems) > 0 {
				return problems[0]
			}
			impacts, err := catalog.Run(args[1], u, params, from.session.Now())
			if err != nil {
				return err
			}
			return showImpacts(cmd.OutOrStdout(), u, impacts)
		},
	}
	cmd.Flags().StringArrayVar(&given, "param", nil, "parameter of the action, as NAME=VALUE; may be repeated")
	return cmd
}

func showImpacts(w io.Writer, u *unstructured.Unstructured, impacts []action.Impact) error {
	for _, impact := range impacts {
		if impact.Operation == action.Create {
			text, err := yaml.Marshal(impact.Object.Object)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "Following resource was created:\n%s", text)
			continue
		}
		changes := appdiff.Between(u.Object, impact.Object.Object)
		if len(changes) == 0 {
			fmt.Fprintln(w, "No fields had been changed by the action.")
			continue
		}
		fmt.Fprintln(w, "Following fields have been changed:")
		appdiff.Write(w, changes)
	}
	return nil
}
