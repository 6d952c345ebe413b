// SPDX-License-Identifier: Apache-2.0

package proj

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

func newIntegrityCmd(s *session.Session) *cobra.Command {
	policies := command.Group("policies", "Work with policies for the signatures of commits",
		newIntegrityListCmd(s), newIntegrityAddCmd(s), newIntegrityUpdateCmd(s), newIntegrityDeleteCmd(s))
	return command.Group("source-integrity", "Work with what a project demands of its sources", command.Group("git", "Work with what is demanded of Git repositories", policies))
}

// policiesOf returns the policies of a project, to be changed.
func policiesOf(p *v1alpha1.AppProject) *[]*v1alpha1.SourceIntegrityGitPolicy {
	if p.Spec.SourceIntegrity == nil {
		p.Spec.SourceIntegrity = &v1alpha1.SourceIntegrity{}
	}
	if p.Spec.SourceIntegrity.Git == nil {
		p.Spec.SourceIntegrity.Git = &v1alpha1.SourceIntegrityGit{}
	}
	return &p.Spec.SourceIntegrity.Git.Policies
}

// policyAt finds a policy by the number that the list shows.
func policyAt(cmd *cobra.Command, p *v1alpha1.AppProject, id string) (int, error) {
	n, err := strconv.Atoi(id)
	if err != nil {
		return 0, command.Usage(cmd, fmt.Sprintf("POLICY_ID is %q and has to be a number of `bowline proj source-integrity git policies list`", id))
	}
	if n < 0 || n >= len(*policiesOf(p)) {
		return 0, missing(p, "policy "+id)
	}
	return n, nil
}

func newIntegrityListCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use: "list PROJECT", Short: "List the policies", Args: command.Exactly("PROJECT"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj source-integrity git policies list shop"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, p, err := fetch(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			rows := [][]string{}
			for i, policy := range *policiesOf(p) {
				row := []string{strconv.Itoa(i), none, none, none}
				if policy.GPG != nil {
					row[1] = string(policy.GPG.Mode)
					row[2] = orNone(policy.GPG.Keys)
				}
				row[3] = orNone(urls(policy.Repos))
				rows = append(rows, row)
			}
			output.Table(cmd.OutOrStdout(), []string{"ID", "GPG-MODE", "GPG-KEYS", "REPO-URLS"}, rows)
			return nil
		},
	}
}

func orNone(list []string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}

func urls(repos []v1alpha1.SourceIntegrityGitPolicyRepo) []string {
	out := make([]string, len(repos))
	for i, repo := range repos {
		out[i] = repo.URL
	}
	return out
}

// integrity is what the flags say about a policy.
type integrity struct {
	mode                      string
	repos, addRepos, cutRepos []string
	keys, addKeys, cutKeys    []string
}

func (o *integrity) bind(flags *pflag.FlagSet) {
	flags.StringSliceVar(&o.repos, "repo-url", nil, "repositories that it is for; globs; may be repeated")
	flags.StringVar(&o.mode, "gpg-mode", "", "which commits have to be signed: strict (all), head (the one that is synced) or none")
	flags.StringSliceVar(&o.keys, "gpg-key", nil, "keys that they have to be signed with; may be repeated")
}

// apply changes a policy as the flags say.
func (o *integrity) apply(cmd *cobra.Command, policy *v1alpha1.SourceIntegrityGitPolicy) error {
	if policy.GPG == nil {
		policy.GPG = &v1alpha1.SourceIntegrityGitPolicyGPG{}
	}
	if o.mode != "" {
		if !slices.Contains([]string{"strict", "head", "none"}, o.mode) {
			return command.Usage(cmd, fmt.Sprintf("--gpg-mode is %q and has to be strict, head or none", o.mode))
		}
		policy.GPG.Mode = v1alpha1.SourceIntegrityGitPolicyGPGMode(o.mode)
	}
	repos := revise(urls(policy.Repos), o.repos, o.addRepos, o.cutRepos)
	policy.Repos = nil
	for _, url := range repos {
		policy.Repos = append(policy.Repos, v1alpha1.SourceIntegrityGitPolicyRepo{URL: url})
	}
	for _, list := range [][]string{o.keys, o.addKeys, o.cutKeys} {
		for i := range list {
			key, err := shortKey(list[i])
			if err != nil {
				return err
			}
			list[i] = key
		}
	}
	policy.GPG.Keys = revise(policy.GPG.Keys, o.keys, o.addKeys, o.cutKeys)
	return nil
}

// revise replaces a list if there is another, then adds to it and takes out of it.
func revise(list, instead, add, cut []string) []string {
	if len(instead) > 0 {
		list = instead
	}
	out := []string{}
	for _, value := range append(slices.Clone(list), add...) {
		if !slices.Contains(cut, value) && !slices.Contains(out, value) {
			out = append(out, value)
		}
	}
	return out
}

func newIntegrityAddCmd(s *session.Session) *cobra.Command {
	o := integrity{}
	cmd := &cobra.Command{
		Use: "add PROJECT", Short: "Add a policy", Args: command.Exactly("PROJECT"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj source-integrity git policies add shop --repo-url 'https://git.example.com/*' --gpg-mode head --gpg-key 4AEE18F83AFDEB23"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(o.repos) == 0 || o.mode == "" {
				return command.Usage(cmd, "it needs --repo-url and --gpg-mode")
			}
			return update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
				policy := &v1alpha1.SourceIntegrityGitPolicy{}
				list := policiesOf(p)
				*list = append(*list, policy)
				return true, o.apply(cmd, policy)
			})
		},
	}
	o.bind(cmd.Flags())
	return cmd
}

func newIntegrityUpdateCmd(s *session.Session) *cobra.Command {
	o, yes := integrity{}, false
	cmd := &cobra.Command{
		Use: "update PROJECT POLICY_ID", Short: "Change a policy", Args: command.Exactly("PROJECT", "POLICY_ID"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj source-integrity git policies update shop 0 --gpg-mode strict"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if sure, err := sure(cmd, yes, "Change policy "+args[1]+"?"); err != nil || !sure {
				return err
			}
			return update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
				i, err := policyAt(cmd, p, args[1])
				if err != nil {
					return false, err
				}
				return true, o.apply(cmd, (*policiesOf(p))[i])
			})
		},
	}
	o.bind(cmd.Flags())
	flags := cmd.Flags()
	flags.StringSliceVar(&o.addRepos, "add-repo-url", nil, "repository to add")
	flags.StringSliceVar(&o.cutRepos, "delete-repo-url", nil, "repository to take out")
	flags.StringSliceVar(&o.addKeys, "add-gpg-key", nil, "key to add")
	flags.StringSliceVar(&o.cutKeys, "delete-gpg-key", nil, "key to take out")
	flags.BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func newIntegrityDeleteCmd(s *session.Session) *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use: "delete PROJECT POLICY_ID...", Short: "Delete policies", ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj source-integrity git policies delete shop 0"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return command.Usage(cmd, "it takes PROJECT and at least one POLICY_ID")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if sure, err := sure(cmd, yes, "Delete policy "+strings.Join(args[1:], ", ")+"?"); err != nil || !sure {
				return err
			}
			return update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
				list := policiesOf(p)
				gone := map[*v1alpha1.SourceIntegrityGitPolicy]bool{}
				for _, id := range args[1:] {
					i, err := policyAt(cmd, p, id)
					if err != nil {
						return false, err
					}
					gone[(*list)[i]] = true
				}
				*list = slices.DeleteFunc(*list, func(policy *v1alpha1.SourceIntegrityGitPolicy) bool { return gone[policy] })
				if len(*list) == 0 {
					p.Spec.SourceIntegrity = nil
				}
				return true, nil
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// sure asks at a terminal, unless that was answered by a flag.
func sure(cmd *cobra.Command, yes bool, question string) (bool, error) {
	if yes || !prompt.Terminal(cmd) {
		return true, nil
	}
	return prompt.Confirm(cmd, question)
}
