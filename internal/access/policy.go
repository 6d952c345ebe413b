// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Policy is argocd-rbac-cm, compiled, with what is built in. It is immutable.
type Policy struct {
	book *book
	// Default is the role that everybody has (policy.default); "" is none. What it grants nothing can deny.
	Default string
	// Scopes are the claims of a token whose values are groups (scopes).
	Scopes []string
	mode   MatchMode
}

// Mode is the language of the lines.
func (p *Policy) Mode() MatchMode { return p.mode }

// The keys of argocd-rbac-cm.
const (
	policyKey        = "policy.csv"
	policyPrefix     = "policy."
	policySuffix     = ".csv"
	policyDefaultKey = "policy.default"
	matchModeKey     = "policy.matchMode"
	scopesKey        = "scopes"
)

// DefaultScopes are the claims whose values are groups if nothing is said.
var DefaultScopes = []string{"groups"}

// BuiltIn is the policy of an installation that says nothing: the account admin may do everything, others nothing.
func BuiltIn() *Policy {
	p := &Policy{book: newBook(), Scopes: DefaultScopes, mode: MatchGlob}
	addBuiltIns(p.book)
	return p
}

// NewPolicy reads argocd-rbac-cm. Each thing that is wrong with it is a fault.Mistake; there is no policy then: half of what
// somebody wrote might grant what the other half denies.
func NewPolicy(data map[string]string) (*Policy, []error) { return BuiltIn().with(data) }

// NewOwnPolicy is NewPolicy without what is built in: what the lines of the ConfigMap say alone.
func NewOwnPolicy(data map[string]string) (*Policy, []error) {
	return (&Policy{book: newBook(), Scopes: DefaultScopes, mode: MatchGlob}).with(data)
}

// with adds a ConfigMap to a policy.
func (p *Policy) with(data map[string]string) (*Policy, []error) {
	p.Default = strings.TrimSpace(data[policyDefaultKey])
	var problems []error
	broken := func(where string, err error) {
		problems = append(problems, fault.New(fault.Mistake, "use the roles", "", "ConfigMap "+v1alpha1.RBACConfigMapName+", "+where, err.Error(),
			"correct it; until then the roles stay as they were"))
	}
	switch mode := MatchMode(strings.TrimSpace(data[matchModeKey])); mode {
	case MatchRegex:
		p.mode = mode
	case MatchGlob, "":
	default:
		broken(matchModeKey, fmt.Errorf("%q is neither glob nor regex", mode))
	}
	if scopes, err := readScopes(data[scopesKey]); err != nil {
		broken(scopesKey, err)
	} else if len(scopes) > 0 {
		p.Scopes = scopes
	}
	for _, key := range policyKeys(data) {
		for i, text := range strings.Split(data[key], "\n") {
			where := fmt.Sprintf("%s line %d", key, i+1)
			if err := p.book.read(text, where, p.mode); err != nil {
				broken(where, err)
			}
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return p, nil
}

// read adds a line of a policy.
func (b *book) read(text, where string, mode MatchMode) error {
	l, g, err := readLine(text, where, mode)
	switch {
	case errors.Is(err, errSkip):
		return nil
	case err != nil:
		return err
	case l != nil:
		b.add(l)
	default:
		b.link(g)
	}
	return nil
}

// policyKeys are the keys that hold lines: policy.csv first, then each policy.<anything>.csv.
func policyKeys(data map[string]string) []string {
	var out []string
	for key := range data {
		if key != policyKey && strings.HasPrefix(key, policyPrefix) && strings.HasSuffix(key, policySuffix) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	if _, ok := data[policyKey]; ok {
		out = slices.Insert(out, 0, policyKey)
	}
	return out
}

// readScopes reads one claim, or a YAML list of them.
func readScopes(raw string) ([]string, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return nil, nil
	}
	var list []string
	if err := yaml.Unmarshal([]byte(raw), &list); err == nil {
		return list, nil
	}
	var one string
	if err := yaml.Unmarshal([]byte(raw), &one); err != nil {
		return nil, fmt.Errorf("%q is neither the name of a claim nor a list of such names", raw)
	}
	return []string{one}, nil
}
