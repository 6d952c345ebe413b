// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/settings"
)

// access knows which kinds the account may not list, where the settings say to leave those out (resource.respectRBAC).
// What is left out does not make the inventory doubtful: an installation with few rights by intent would otherwise
// never be sure of anything. Whoever asks for an object of such a kind is still told that it is unknown, and why.
type access struct {
	mu     sync.Mutex
	mode   settings.RespectRBAC
	denied map[schema.GroupKind]map[string]string // kind → namespace ("" for all) → what the API server said
}

func (a *access) set(mode settings.RespectRBAC) (changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mode == mode {
		return false
	}
	a.mode, a.denied = mode, nil
	return true
}

func (a *access) respected() settings.RespectRBAC {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.mode
}

func (a *access) deny(gk schema.GroupKind, namespace, reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.denied == nil {
		a.denied = map[schema.GroupKind]map[string]string{}
	}
	if a.denied[gk] == nil {
		a.denied[gk] = map[string]string{}
	}
	a.denied[gk][namespace] = reason
}

func (a *access) allow(gk schema.GroupKind, namespace string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if delete(a.denied[gk], namespace); len(a.denied[gk]) == 0 {
		delete(a.denied, gk)
	}
}

// covers reports whether the kind is left out in all of these namespaces.
func (a *access) covers(gk schema.GroupKind, namespaces []string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !slices.ContainsFunc(namespaces, func(namespace string) bool {
		_, ok := a.denied[gk][namespace]
		return !ok
	})
}

// SetRespectRBAC says from now on what is done about kinds that the account may not list.
func (c *Cluster) SetRespectRBAC(mode settings.RespectRBAC) {
	if c.access.set(mode) {
		c.sweep.renew()
		c.planSweep()
	}
}

// refusal looks at an error of a list and reports whether it only means that the account may not list the kind there,
// and the settings say to leave such kinds out.
func (c *Cluster) refusal(ctx context.Context, res Resource, namespace string, err error) bool {
	mode := c.access.respected()
	if mode == settings.RBACIgnored || !apierrors.IsForbidden(err) {
		return false
	}
	if mode == settings.RBACStrict && c.mayList(ctx, res, namespace) {
		return false // the account may, and was refused all the same: something is wrong
	}
	c.access.deny(res.GVK.GroupKind(), namespace, reasonOf(err))
	return true
}

// mayList asks the API server whether the account has the right. An answer that does not come is no denial.
func (c *Cluster) mayList(ctx context.Context, res Resource, namespace string) bool {
	review := authorizationv1.SelfSubjectAccessReview{
		TypeMeta: metav1.TypeMeta{APIVersion: authorizationv1.SchemeGroupVersion.String(), Kind: "SelfSubjectAccessReview"},
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: "list", Group: res.GVR.Group, Version: res.GVR.Version, Resource: res.GVR.Resource,
		}},
	}
	body, err := json.Marshal(review)
	if err != nil {
		return true
	}
	raw, err := c.api.send(ctx, c.api.rest.Post().AbsPath("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews").
		SetHeader("Content-Type", acceptJSON).SetHeader("Accept", acceptJSON).Body(body))
	if err != nil || unmarshal(raw, &review) != nil {
		c.link.report(err)
		return true
	}
	return review.Status.Allowed
}

// leftOut names what is left out, with the reason and, in namespaced mode, the namespaces.
func (c *Cluster) leftOut() map[schema.GroupKind]string {
	c.access.mu.Lock()
	defer c.access.mu.Unlock()
	out := make(map[schema.GroupKind]string, len(c.access.denied))
	for gk, namespaces := range c.access.denied {
		var reasons []string
		for _, namespace := range slices.Sorted(maps.Keys(namespaces)) {
			reason := namespaces[namespace]
			if namespace != "" {
				reason = fmt.Sprintf("in namespace %s: %s", namespace, reason)
			}
			reasons = append(reasons, reason)
		}
		out[gk] = strings.Join(reasons, "; ")
	}
	return out
}
