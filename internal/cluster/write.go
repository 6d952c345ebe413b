// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Validation is what the API server does about fields it does not know
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#validation-for-unrecognized-or-duplicate-fields).
type Validation string

// The ways. Strict is the default.
const (
	Strict Validation = "Strict"
	Ignore Validation = "Ignore"
)

// WriteOptions are how something is written.
type WriteOptions struct {
	Manager    string // field manager
	Force      bool   // apply only: take fields from other managers
	DryRun     bool
	Validation Validation
	// Subresource of the object, such as status; patches only.
	Subresource string
}

// target is one object at the API server.
type target struct {
	cluster string
	res     Resource
	key     object.Key
	path    string // of the object; of the collection when it has no name yet
	as      string // user that the call is made as; "" is ourselves
}

func (t target) secret() bool { return t.key.Group == "" && t.key.Kind == "Secret" }

// target finds where an object is written. A kind that is not known is looked up once more: its CRD may be a moment old.
func (c *Cluster) target(ctx context.Context, op string, gvk schema.GroupVersionKind, namespace, name string) (target, error) {
	t := target{cluster: c.cfg.Name, as: identityOf(ctx), key: object.Key{Group: gvk.Group, Kind: gvk.Kind, Namespace: namespace, Name: name}}
	if err := c.link.ready(ctx, c.isRunning()); err != nil {
		return t, t.wrap(op, err)
	}
	res, presence, reason := c.snapshot().find(gvk)
	if presence != Present {
		if err := c.discoverNow(asOurselves(ctx)); err != nil && c.snapshot() == nil {
			return t, t.wrap(op, err)
		}
		res, presence, reason = c.snapshot().find(gvk)
	}
	switch presence {
	case Absent:
		return t, newError(NoSuchKind, fault.Wait, op, t.key.String(), reason, rules[NoSuchKind].fix)
	case Unknown:
		return t, newError(Unavailable, fault.Retry, op, t.key.String(), reason, "")
	}
	if !res.Namespaced {
		t.key.Namespace = ""
	} else if namespace == "" {
		return t, newError(Invalid, fault.Mistake, op, t.key.String(), "its kind lives in namespaces, and none is given", "set metadata.namespace or the Application's destination namespace")
	}
	path, err := objectPath(res.GVR, t.key.Namespace, name)
	if err != nil {
		return t, newError(Invalid, fault.Mistake, op, t.key.String(), err.Error(), rules[Invalid].fix)
	}
	t.res, t.path = res, path
	return t, nil
}

func (c *Cluster) isRunning() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.ctx != nil
}

// Apply server-side applies obj and returns the API server's answer, which is in the store already unless it is a dry
// run. Errors are *Error.
func (c *Cluster) Apply(ctx context.Context, obj *unstructured.Unstructured, o WriteOptions) (*unstructured.Unstructured, error) {
	t, err := c.target(ctx, "apply", obj.GroupVersionKind(), obj.GetNamespace(), obj.GetName())
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(obj.Object)
	if err != nil {
		return nil, newError(Invalid, fault.Mistake, "apply", t.key.String(), "it has no JSON form", rules[Invalid].fix)
	}
	return c.write(ctx, "apply", t, o, func() *rest.Request {
		return c.api.rest.Patch(types.ApplyPatchType).AbsPath(t.path).Param("force", strconv.FormatBool(o.Force)).Body(body)
	})
}

// Create creates obj; an object of that name gives AlreadyExists.
func (c *Cluster) Create(ctx context.Context, obj *unstructured.Unstructured, o WriteOptions) (*unstructured.Unstructured, error) {
	t, err := c.target(ctx, "create", obj.GroupVersionKind(), obj.GetNamespace(), obj.GetName())
	if err != nil {
		return nil, err
	}
	obj = obj.DeepCopy()
	obj.SetResourceVersion("")
	obj.SetUID("")
	body, err := json.Marshal(obj.Object)
	if err != nil {
		return nil, newError(Invalid, fault.Mistake, "create", t.key.String(), "it has no JSON form", rules[Invalid].fix)
	}
	return c.write(ctx, "create", t, o, func() *rest.Request {
		return c.api.rest.Post().AbsPath(collectionPath(t.res.GVR, t.key.Namespace)).SetHeader("Content-Type", acceptJSON).Body(body)
	})
}

// replaceAttempts is how often Replace reads again after a conflict.
const replaceAttempts = 4

// Replace puts obj in the place of the live object, whatever resourceVersion that has, or creates it.
func (c *Cluster) Replace(ctx context.Context, obj *unstructured.Unstructured, o WriteOptions) (*unstructured.Unstructured, error) {
	for attempt := 1; ; attempt++ {
		live, err := c.Read(ctx, obj.GroupVersionKind(), obj.GetNamespace(), obj.GetName())
		var answer *unstructured.Unstructured
		switch {
		case errors.Is(err, NotFound):
			answer, err = c.Create(ctx, obj, o)
		case err == nil:
			answer, err = c.put(ctx, obj, live.GetResourceVersion(), o)
		}
		again := errors.Is(err, Conflict) || errors.Is(err, AlreadyExists) || errors.Is(err, NotFound)
		if !again || attempt == replaceAttempts {
			return answer, err
		}
	}
}

func (c *Cluster) put(ctx context.Context, obj *unstructured.Unstructured, rv string, o WriteOptions) (*unstructured.Unstructured, error) {
	t, err := c.target(ctx, "replace", obj.GroupVersionKind(), obj.GetNamespace(), obj.GetName())
	if err != nil {
		return nil, err
	}
	obj = obj.DeepCopy()
	obj.SetResourceVersion(rv)
	body, err := json.Marshal(obj.Object)
	if err != nil {
		return nil, newError(Invalid, fault.Mistake, "replace", t.key.String(), "it has no JSON form", rules[Invalid].fix)
	}
	return c.write(ctx, "replace", t, o, func() *rest.Request {
		return c.api.rest.Put().AbsPath(t.path).SetHeader("Content-Type", acceptJSON).Body(body)
	})
}

// Patch sends a patch that the caller computed: the three-way merge of client-side apply, for example.
func (c *Cluster) Patch(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string, kind types.PatchType, patch []byte, o WriteOptions) (*unstructured.Unstructured, error) {
	t, err := c.target(ctx, "patch", gvk, namespace, name)
	if err != nil {
		return nil, err
	}
	path := t.path
	if o.Subresource != "" {
		path += "/" + o.Subresource
	}
	return c.write(ctx, "patch", t, o, func() *rest.Request {
		return c.api.rest.Patch(kind).AbsPath(path).Body(patch)
	})
}

// write sends a request that answers with the object, and puts the answer into the store.
func (c *Cluster) write(ctx context.Context, op string, t target, o WriteOptions, request func() *rest.Request) (*unstructured.Unstructured, error) {
	raw, err := c.send(ctx, op, t, func() *rest.Request {
		req := request().SetHeader("Accept", acceptJSON)
		if o.Manager != "" {
			req = req.Param("fieldManager", o.Manager)
		}
		if o.DryRun {
			req = req.Param("dryRun", "All")
		}
		validation := o.Validation
		if validation == "" {
			validation = Strict
		}
		return req.Param("fieldValidation", string(validation))
	})
	if err != nil {
		return nil, err
	}
	live := liveOf(raw, t.res.GVK, "")
	if live.Object == nil {
		return nil, newError(Unavailable, fault.Retry, op, t.key.String(), live.Reason, "")
	}
	if !o.DryRun {
		c.learn(ctx, t, raw)
	}
	return live.Object, nil
}

// rejections is how often a write that the API server put off (429: it was not carried out) is sent again.
const rejections = 4

// send sends a write under the cluster's limit.
func (c *Cluster) send(ctx context.Context, op string, t target, request func() *rest.Request) ([]byte, error) {
	for attempt := 1; ; attempt++ {
		done, err := c.writes.acquire(ctx)
		if err != nil {
			return nil, t.wrap(op, err)
		}
		began := c.opts.Clock.Now()
		raw, err := c.api.send(ctx, request())
		if err == nil {
			done(c.opts.Clock.Since(began), false, 0)
			return raw, nil
		}
		c.link.report(err)
		wrapped := t.wrap(op, err)
		overloaded := errors.Is(wrapped, TooManyRequests)
		done(c.opts.Clock.Since(began), overloaded || timedOut(err), min(retryAfter(wrapped), 10*time.Second))
		if errors.Is(wrapped, NoSuchKind) {
			c.Refresh()
		}
		if !overloaded || attempt == rejections {
			return nil, wrapped
		}
	}
}

func retryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	return 100 * time.Millisecond
}

func timedOut(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err)
}

// learn puts the answer of a write into the store, so that whoever wrote sees it at the next Get.
func (c *Cluster) learn(ctx context.Context, t target, raw []byte) {
	c.mu.RLock()
	k := c.kinds[t.key.GroupKind()]
	c.mu.RUnlock()
	if k == nil {
		return
	}
	it, err := decodeItem(raw)
	if err != nil {
		return
	}
	if t.res.GVR.Version != k.res.GVR.Version {
		// The store holds another version; converting is the API server's art.
		path, err := objectPath(k.res.GVR, t.key.Namespace, t.key.Name)
		if err != nil {
			return
		}
		watched, err := c.api.get(asOurselves(ctx), path, acceptJSON)
		if err != nil {
			return
		}
		inWatched, err := decodeItem(watched)
		if err != nil {
			return
		}
		k.absorb(inWatched, false)
		k.keepVersion(it, t.res.GVR.Version)
		return
	}
	k.absorb(it, false)
}
