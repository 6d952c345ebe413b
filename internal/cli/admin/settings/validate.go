// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/action"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/settings"
)

// group is a part of the settings that is told of by itself.
type group struct {
	// holds reports whether a key of argocd-cm is of the group.
	holds func(key string) bool
	// summary says what was read.
	summary func(o *origin, s settings.Settings) string
}

// groups are those of argocd; general is all that is in no other.
var groups = map[string]group{
	"accounts":           {accountKey, accountSummary},
	"kustomize":          {func(key string) bool { return strings.HasPrefix(key, "kustomize.") }, kustomizeSummary},
	"resource-overrides": {overrideKey, overrideSummary},
	"general":            {nil, generalSummary},
}

func accountKey(key string) bool {
	return strings.HasPrefix(key, "accounts.") || strings.HasPrefix(key, "users.") || key == "admin.enabled" || key == "passwordPattern"
}

func overrideKey(key string) bool {
	return strings.HasPrefix(key, "resource.customizations") || strings.HasPrefix(key, "bowline.health.cel.")
}

func accountSummary(o *origin, _ settings.Settings) string {
	names := map[string]bool{}
	if o.config["admin.enabled"] != "false" {
		names["admin"] = true
	}
	for key := range o.config {
		if rest, ok := strings.CutPrefix(key, "accounts."); ok {
			name, _, _ := strings.Cut(rest, ".")
			names[name] = true
		}
	}
	return fmt.Sprintf("%d accounts", len(names))
}

func kustomizeSummary(o *origin, _ settings.Settings) string {
	versions := 0
	for key := range o.config {
		if strings.HasPrefix(key, "kustomize.version.") || strings.HasPrefix(key, "kustomize.path.") {
			versions++
		}
	}
	summary := "default options"
	if options := o.config["kustomize.buildOptions"]; options != "" {
		summary = options
	}
	if versions > 0 {
		summary += fmt.Sprintf(" (%d versions)", versions)
	}
	return summary
}

func overrideSummary(_ *origin, s settings.Settings) string {
	kinds := map[string]bool{}
	for _, c := range s.Customizations {
		kinds[c.Group+"/"+c.Kind] = true
	}
	for _, rule := range s.IgnoreDifferences {
		kinds[rule.Group+"/"+rule.Kind] = true
	}
	return fmt.Sprintf("%d resource overrides", len(kinds))
}

func generalSummary(o *origin, _ settings.Settings) string {
	provider := ""
	switch {
	case o.config["dex.config"] != "":
		provider = "Dex"
	case o.config["oidc.config"] != "":
		provider = "OIDC"
	default:
		return "SSO is not configured"
	}
	if o.config["url"] == "" {
		return provider + " is configured ('url' field is missing)"
	}
	return provider + " is configured"
}

// newValidateCmd returns the command validate.
func newValidateCmd(from *origin) *cobra.Command {
	var asked []string
	all := slices.Sorted(maps.Keys(groups))
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Say what is wrong with settings",
		Long: `Say what is wrong with settings, by groups.

Exit code: 0 if nothing is, 2 if something is.`,
		Example: command.Example(
			"bowline admin settings validate --argocd-cm-path argocd-cm.yaml",
			"bowline admin settings validate --load-cluster-settings --group accounts"),
		Args: command.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range asked {
				if _, ok := groups[name]; !ok {
					return command.Usage(cmd, fmt.Sprintf("there is no group %q; there are %s", name, strings.Join(all, ", ")))
				}
			}
			if len(asked) == 0 {
				asked = all
			}
			if err := from.load(cmd); err != nil {
				return err
			}
			return from.validate(cmd.OutOrStdout(), asked)
		},
	}
	cmd.Flags().StringArrayVar(&asked, "group", nil, "only this group: "+strings.Join(all, ", ")+"; may be repeated")
	return cmd
}

func (o *origin) validate(w io.Writer, asked []string) error {
	s, broken := o.settings()
	_, healths := health.CompileOverrides(s.Customizations)
	_, actions := action.New(s.Customizations)
	problems := map[string][]error{}
	for _, err := range slices.Concat(broken, healths, actions) {
		name := groupOf(err)
		problems[name] = append(problems[name], err)
	}
	wrong := 0
	for i, name := range asked {
		if i > 0 {
			fmt.Fprintln(w)
		}
		wrong += len(problems[name])
		tell(w, name, groups[name].summary(o, s), problems[name])
	}
	if wrong > 0 {
		return command.Status(fault.ExitCode(fault.New(fault.Mistake, "", "", "", "", "")))
	}
	return nil
}

func tell(w io.Writer, name, summary string, problems []error) {
	if len(problems) == 0 {
		fmt.Fprintf(w, "✅ %s\n%s\n", name, output.Clean(summary))
		return
	}
	fmt.Fprintf(w, "❌ %s\n", name)
	for _, err := range problems {
		fmt.Fprintln(w, output.Clean(err.Error()))
	}
}

// groupOf returns the group of the key that an error is about.
func groupOf(err error) string {
	where := err.Error()
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		where = known.Where
	}
	for _, word := range strings.FieldsFunc(where, func(r rune) bool { return strings.ContainsRune(" ,:\"", r) }) {
		for _, name := range slices.Sorted(maps.Keys(groups)) {
			if g := groups[name]; g.holds != nil && g.holds(word) {
				return name
			}
		}
	}
	return "general"
}
