// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// PolicyMode says which commits have to be signed.
type PolicyMode string

// The modes.
const (
	PolicyNone   PolicyMode = "none"   // none
	PolicyHead   PolicyMode = "head"   // the commit that is read or, if the revision is an annotated tag, the tag
	PolicyStrict PolicyMode = "strict" // both of them, and all commits before, back to those that are sealed
)

// Policy is what a project demands of the signatures of a repository. The zero value demands nothing.
type Policy struct {
	Mode PolicyMode
	// Keys are those that may sign: OpenPGP key ids of 16 digits or fingerprints, of the key or its primary key; for
	// SSH the fingerprint ("SHA256:…") or a principal of the allowed signers. None means that nobody may.
	Keys []string
}

func (p Policy) demands() bool { return p.Mode != "" && p.Mode != PolicyNone }

// PolicyFor returns what a project's spec demands of the repository at url: spec.signatureKeys ask for head everywhere;
// spec.sourceIntegrity has policies, and the one whose patterns fit counts. What cannot be understood, and more than one
// policy that fits, is an error and never "nothing is demanded".
func PolicyFor(spec *v1alpha1.AppProjectSpec, url string) (Policy, error) {
	var policies []*v1alpha1.SourceIntegrityGitPolicy
	if spec.SourceIntegrity != nil && spec.SourceIntegrity.Git != nil {
		policies = spec.SourceIntegrity.Git.Policies
	}
	switch {
	case len(spec.SignatureKeys) > 0 && len(policies) > 0:
		return Policy{}, policyMistake("spec.sourceIntegrity", "the project has signatureKeys too, and only one of them can count", "remove signatureKeys")
	case len(spec.SignatureKeys) > 0:
		p := Policy{Mode: PolicyHead}
		for _, key := range spec.SignatureKeys {
			p.Keys = append(p.Keys, key.KeyID)
		}
		return p, nil
	}
	found := -1
	for i, p := range policies {
		if p == nil {
			continue
		}
		fits, err := policyFits(p.Repos, url)
		where := fmt.Sprintf("spec.sourceIntegrity.git.policies[%d]", i)
		switch {
		case err != nil:
			return Policy{}, policyMistake(where+".repos", err.Error(), "correct the pattern")
		case fits && found >= 0:
			return Policy{}, policyMistake(where, fmt.Sprintf("it fits repository %s, and so does policies[%d]", fault.RedactURL(url), found), `exclude the repository from one of them with a pattern that begins with "!"`)
		case fits:
			found = i
		}
	}
	if found < 0 || policies[found].GPG == nil {
		return Policy{Mode: PolicyNone}, nil
	}
	return policyOf(policies[found].GPG, found)
}

func policyOf(gpg *v1alpha1.SourceIntegrityGitPolicyGPG, index int) (Policy, error) {
	p := Policy{Mode: PolicyMode(gpg.Mode), Keys: slices.Clone(gpg.Keys)}
	switch p.Mode {
	case PolicyNone:
		return Policy{Mode: PolicyNone}, nil
	case PolicyHead, PolicyStrict:
		return p, nil
	}
	return Policy{}, policyMistake(fmt.Sprintf("spec.sourceIntegrity.git.policies[%d].gpg.mode", index), fmt.Sprintf("%q is no mode", gpg.Mode), "write none, head or strict")
}

func policyMistake(where, cause, fix string) error {
	return fault.New(fault.Mistake, "check signatures by", "the project", where, cause, fix)
}

// policyFits reports whether one of the patterns fits and none that begins with "!" does. A pattern fits the address as
// it is written, in its normal form and in its plainest spelling, so that nobody gets around a demand by another spelling; an exception only
// fits the address as it is written, but for ".git" and a slash at the end.
func policyFits(repos []v1alpha1.SourceIntegrityGitPolicyRepo, url string) (bool, error) {
	fits := false
	for _, repo := range repos {
		pattern, except := strings.CutPrefix(repo.URL, "!")
		written, err := object.CompileGlob(pattern)
		if err != nil {
			return false, fmt.Errorf("%q: %w", repo.URL, err)
		}
		if except {
			bare, err := object.CompileGlob(bareURL(pattern))
			if err != nil {
				return false, fmt.Errorf("%q: %w", repo.URL, err)
			}
			if written.Match(url) || bare.Match(bareURL(url)) {
				return false, nil
			}
			continue
		}
		normal, err := object.CompileGlob(object.NormaliseRepoURL(pattern))
		if err != nil {
			return false, fmt.Errorf("%q: %w", repo.URL, err)
		}
		fits = fits || normal.Match(object.PlainRepoURL(url))
		for _, form := range []string{url, bareURL(url), withoutUser(url)} {
			fits = fits || written.Match(form) || normal.Match(object.NormaliseRepoURL(form)) || normal.Match(object.NormaliseRepoURL(bareURL(form)))
		}
	}
	return fits, nil
}

func bareURL(url string) string {
	return strings.TrimSuffix(strings.TrimRight(strings.TrimSpace(url), "/"), ".git")
}

// withoutUser returns an https address without its user, which is no part of what it names.
func withoutUser(url string) string {
	e, err := parseEndpoint(url, false)
	if err != nil || !e.overHTTP() {
		return url
	}
	return e.remote
}
