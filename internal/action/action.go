// SPDX-License-Identifier: Apache-2.0

package action

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

// Action is one thing that can be done to an object. Its JSON form is that of Argo CD's API.
type Action struct {
	Name        string  `json:"name"`
	DisplayName string  `json:"displayName,omitempty"`
	IconClass   string  `json:"iconClass,omitempty"` // of Font Awesome
	Disabled    bool    `json:"disabled,omitempty"`  // it would do nothing good to the object as it is now
	Params      []Param `json:"params,omitempty"`
}

// Param is one value that an action is given. All values are texts.
type Param struct {
	Name    string `json:"name"`
	Type    string `json:"type,omitempty"`
	Default string `json:"default,omitempty"`
}

// Catalog knows the actions of all kinds. A nil Catalog knows the bundled ones. Safe for concurrent use.
type Catalog struct {
	custom []customized
}

// New returns the catalog of the bundled actions and of users' own, which are in the order in which their settings
// count. The errors name those that cannot be used: objects of their kinds then offer nothing and say why.
func New(custom []settings.Customization) (*Catalog, []error) {
	c := &Catalog{}
	var errs []error
	for _, item := range custom {
		if item.Actions == "" {
			continue
		}
		own, err := compile(item)
		if err != nil {
			errs = append(errs, err)
		}
		c.custom = append(c.custom, own)
	}
	return c, errs
}

// Discover returns the actions that the object offers, by name. An error is never "none": it says why it is not known.
func (c *Catalog) Discover(obj *unstructured.Unstructured) ([]Action, error) {
	found, err := c.find(obj)
	if err != nil {
		return nil, err
	}
	out := make([]Action, 0, len(found))
	for _, f := range found {
		out = append(out, f.action)
	}
	return out, nil
}

// Offers reports whether objects of the kind may offer actions at all.
func (c *Catalog) Offers(gk schema.GroupKind) bool {
	own := c != nil && slices.ContainsFunc(c.custom, func(own customized) bool { return own.matches(gk.Group, gk.Kind) })
	return own || len(bundled[gk]) > 0
}

// Run carries out an action in thought, with now as the time that it writes, and returns its impacts: at least one, of
// which at most one patches the object. Neither obj nor params are changed. An action that the object does not offer,
// or that is disabled for it, is a fault.Mistake.
func (c *Catalog) Run(name string, obj *unstructured.Unstructured, params map[string]string, now time.Time) ([]Impact, error) {
	found, err := c.find(obj)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(found, func(f offer) bool { return f.action.Name == name })
	if i < 0 {
		return nil, refused(name, obj, "it has no such action", "see what it has with `bowline app actions list`")
	}
	if found[i].action.Disabled {
		return nil, refused(name, obj, "the action is disabled for it as it is now", "")
	}
	if err := known(found[i].action, params); err != nil {
		return nil, refused(name, obj, err.Error(), "")
	}
	impacts, err := found[i].run(input{obj: obj.DeepCopy(), params: params, now: now})
	if err != nil {
		return nil, fault.Wrap(fault.Mistake, "run action "+name+" on", object.KeyOf(obj).String(), err, "")
	}
	return checked(name, obj, impacts)
}

// offer is an action that an object offers, with what carries it out.
type offer struct {
	action Action
	run    func(input) ([]Impact, error)
}

// input is what an action is given. The object is the action's own.
type input struct {
	obj    *unstructured.Unstructured
	params map[string]string
	now    time.Time
}

// find returns what the object offers: users' own actions, and the bundled ones unless users' own replace them.
func (c *Catalog) find(obj *unstructured.Unstructured) ([]offer, error) {
	gk := obj.GroupVersionKind().GroupKind()
	var offers []offer
	merge := true
	if c != nil {
		for _, own := range c.custom {
			if !own.matches(gk.Group, gk.Kind) {
				continue
			}
			var err error
			if offers, err = own.discover(obj); err != nil {
				return nil, err
			}
			merge = own.merge
			break
		}
	}
	if merge {
		for _, b := range bundled[gk] {
			if !slices.ContainsFunc(offers, func(o offer) bool { return o.action.Name == b.Name }) {
				offers = append(offers, b.offer(obj))
			}
		}
	}
	slices.SortFunc(offers, func(a, b offer) int { return cmp.Compare(a.action.Name, b.action.Name) })
	return offers, nil
}

// known refuses parameters that an action with declared parameters does not have: a misspelt one would be ignored.
func known(a Action, params map[string]string) error {
	for name := range params {
		if !slices.ContainsFunc(a.Params, func(p Param) bool { return p.Name == name }) && len(a.Params) > 0 {
			return fmt.Errorf("it has no parameter %q", name)
		}
	}
	return nil
}

func refused(name string, obj *unstructured.Unstructured, why, fix string) error {
	return fault.New(fault.Mistake, "run action "+name+" on", object.KeyOf(obj).String(), "", why, fix)
}
