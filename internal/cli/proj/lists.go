// SPDX-License-Identifier: Apache-2.0

package proj

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

var (
	errPresent = errors.New("it is there already")
	errAbsent  = errors.New("it is not there")
)

// listVerbs are the verbs that add to lists of a project and remove from them.
func listVerbs(s *session.Session) []*cobra.Command {
	verbs := []verb{
		{"add-source", "Permit a repository", "shop https://git.example.com/shop", []string{"URL"}, addSource},
		{"remove-source", "Permit a repository no longer", "shop https://git.example.com/shop", []string{"URL"}, removeSource},
		{"add-source-namespace", "Permit a namespace for applications", "shop team-shop", []string{"NAMESPACE"}, addNamespace},
		{"remove-source-namespace", "Permit a namespace for applications no longer", "shop team-shop", []string{"NAMESPACE"}, removeNamespace},
		{"add-signature-key", "Demand signatures by a GnuPG key", "shop 4AEE18F83AFDEB23", []string{"KEY-ID"}, addKey},
		{"remove-signature-key", "Demand signatures by a GnuPG key no longer", "shop 4AEE18F83AFDEB23", []string{"KEY-ID"}, removeKey},
	}
	out := make([]*cobra.Command, 0, len(verbs)+2)
	for _, v := range verbs {
		out = append(out, v.command(s))
	}
	for _, v := range []verb{
		{"add-orphaned-ignore", "Take objects of a kind for no orphans", "shop apps Deployment", []string{"GROUP", "KIND"}, addIgnored},
		{"remove-orphaned-ignore", "Take objects of a kind for orphans again", "shop apps Deployment", []string{"GROUP", "KIND"}, removeIgnored},
	} {
		cmd := v.command(s)
		cmd.Flags().String("name", "", "glob for names; \"\" is any")
		out = append(out, cmd)
	}
	return out
}

func addSource(cmd *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	for _, have := range p.Spec.SourceRepos {
		if have == "*" || object.SameRepo(have, args[0]) {
			fmt.Fprintf(cmd.OutOrStdout(), "Source repository '%s' already allowed in project\n", have)
			return false, nil
		}
	}
	p.Spec.SourceRepos = append(p.Spec.SourceRepos, args[0])
	return true, nil
}

func removeSource(_ *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	i := slices.Index(p.Spec.SourceRepos, args[0])
	if i < 0 {
		return false, missing(p, "source repository "+fault.RedactURL(args[0]))
	}
	p.Spec.SourceRepos = slices.Delete(p.Spec.SourceRepos, i, i+1)
	return true, nil
}

func addNamespace(cmd *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	for _, have := range p.Spec.SourceNamespaces {
		if have == "*" || have == args[0] {
			fmt.Fprintf(cmd.OutOrStdout(), "Source namespace '%s' already allowed in project\n", have)
			return false, nil
		}
	}
	p.Spec.SourceNamespaces = append(p.Spec.SourceNamespaces, args[0])
	return true, nil
}

func removeNamespace(_ *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	i := slices.Index(p.Spec.SourceNamespaces, args[0])
	if i < 0 {
		return false, missing(p, "source namespace "+args[0])
	}
	p.Spec.SourceNamespaces = slices.Delete(p.Spec.SourceNamespaces, i, i+1)
	return true, nil
}

// keyID is what a GnuPG key is named by: the last 16 digits of its fingerprint, or all 40.
var keyID = regexp.MustCompile(`^(0[xX])?[0-9A-Fa-f]{16}([0-9A-Fa-f]{24})?$`)

// shortKey returns the last 16 digits of a key's id, as Argo CD keeps it.
func shortKey(raw string) (string, error) {
	if !keyID.MatchString(raw) {
		return "", fault.New(fault.Mistake, "use", fmt.Sprintf("key %q", raw), "", "it is neither a key id of 16 hexadecimal digits nor a fingerprint of 40",
			"see `gpg --list-keys --keyid-format long`")
	}
	return strings.ToUpper(raw[len(raw)-16:]), nil
}

func addKey(_ *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	key, err := shortKey(args[0])
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(p.Spec.SignatureKeys, func(k v1alpha1.SignatureKey) bool { return k.KeyID == key }) {
		return false, already(p, "signature key "+key)
	}
	p.Spec.SignatureKeys = append(p.Spec.SignatureKeys, v1alpha1.SignatureKey{KeyID: key})
	return true, nil
}

func removeKey(_ *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	i := slices.IndexFunc(p.Spec.SignatureKeys, func(k v1alpha1.SignatureKey) bool { return strings.EqualFold(k.KeyID, args[0]) })
	if i < 0 {
		return false, missing(p, "signature key "+args[0])
	}
	p.Spec.SignatureKeys = slices.Delete(p.Spec.SignatureKeys, i, i+1)
	return true, nil
}

func ignored(cmd *cobra.Command, args []string) v1alpha1.OrphanedResourceKey {
	return v1alpha1.OrphanedResourceKey{Group: args[0], Kind: args[1], Name: cmd.Flags().Lookup("name").Value.String()}
}

func addIgnored(cmd *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	key := ignored(cmd, args)
	if p.Spec.OrphanedResources == nil {
		p.Spec.OrphanedResources = &v1alpha1.OrphanedResourcesMonitorSettings{}
	}
	if slices.Contains(p.Spec.OrphanedResources.Ignore, key) {
		return false, already(p, "exception "+args[0]+"/"+args[1])
	}
	p.Spec.OrphanedResources.Ignore = append(p.Spec.OrphanedResources.Ignore, key)
	return true, nil
}

func removeIgnored(cmd *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	i := -1
	if p.Spec.OrphanedResources != nil {
		i = slices.Index(p.Spec.OrphanedResources.Ignore, ignored(cmd, args))
	}
	if i < 0 {
		return false, missing(p, "exception "+args[0]+"/"+args[1])
	}
	p.Spec.OrphanedResources.Ignore = slices.Delete(p.Spec.OrphanedResources.Ignore, i, i+1)
	return true, nil
}
