// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/sync"
)

// comparer computes the rows of one application. A pass makes it from the application, its project and the settings; it
// computes the rows of events too, until the next pass makes another one. What it holds does not grow with the application.
type comparer struct {
	*Controller
	id      string
	self    object.Key
	table   *table
	learned *learned

	destination v1alpha1.ApplicationDestination
	cluster     *cluster.Cluster
	live        liveState // of cluster
	writes      writes    // to cluster
	server      string
	beyond      func(object.Key) bool // see beyond
	settings    *Rules
	rules       *diff.Rules
	customs     *customs
	options     plan.Options // of the application; an object may have its own
	adopt       []string     // field managers whose fields are taken over
	compareAs   diff.CompareOptions
	migrates    *object.Tracker // see migrates
}

// liveState is what rows are made of besides what is desired: the objects of a cluster.
type liveState interface {
	Get(ctx context.Context, key object.Key, version string) cluster.Live
	Owned(app string) []object.Key
}

// writes makes the dry runs that confirm differences.
type writes interface {
	Write(ctx context.Context, w sync.Write) (*unstructured.Unstructured, error)
}

// desired computes the row of an object that is desired.
func (c *comparer) desired(ctx context.Context, o *desired.Object) {
	if o.Hook && o.Key.Name == "" {
		return // each sync makes another one; those that there are have rows of their own
	}
	r := c.row(o.Key, o.Version)
	defer c.table.put(r)
	r.desired = o
	if o.Hook || o.Aside {
		r.setApart(o.Hook, c.live.Get(ctx, o.Key, o.Version))
		return
	}
	if o.Refused != nil {
		r.verdict, r.reason = Refused, o.Refused.Error()
		return
	}
	live := c.live.Get(ctx, o.Key, o.Version)
	c.desiredIs(ctx, r, live)
}

// desiredIs fills in the row of a desired object of which this is known.
func (c *comparer) desiredIs(ctx context.Context, r *row, live cluster.Live) {
	switch live.Presence {
	case cluster.Unknown:
		r.reason = live.Reason
		return
	case cluster.Absent:
		r.verdict, r.reason, r.confirmed, r.keep = Missing, live.Reason, nil, false
		return
	}
	r.keep = false
	c.see(r, live)
	r.shared = c.sharedWith(ctx, r.key, live.Owner)
	c.judge(ctx, r, live.Object)
}

// row returns a new row of an object, with what the one before it remembers.
func (c *comparer) row(key object.Key, version string) *row {
	r := &row{key: key, version: version, made: c.Clock.Now().Unix()}
	if old := c.table.rows[key]; old != nil {
		r.accepted, r.confirmed, r.keep = old.accepted, old.confirmed, old.keep
	} else {
		r.accepted = c.learned.recall(key)
	}
	return r
}

// extra computes the row of an object that is not desired: it has one only while it is there and ours.
func (c *comparer) extra(ctx context.Context, key object.Key) {
	live := c.live.Get(ctx, key, "")
	if live.Presence == cluster.Absent || live.Presence == cluster.Present && live.Owner != c.id {
		c.drop(key)
		c.wanted.unconcern(key, c.id)
		return
	}
	c.wanted.concern(key, c.id)
	if c.claimant(ctx, c.server, key, c.id) != "" {
		c.drop(key) // it changes hands: the application that desires it now takes it over
		return
	}
	version, apart := "", false
	if before := c.table.rows[key]; before != nil {
		version, apart = before.version, before.verdict == Apart
	}
	if live.Object != nil {
		version = live.Object.GroupVersionKind().Version
	}
	if apart && live.Presence == cluster.Unknown {
		c.drop(key) // nobody waits to hear of it
		return
	}
	r := c.row(key, version)
	defer c.table.put(r)
	if live.Presence == cluster.Unknown {
		r.reason = live.Reason
		return
	}
	if hook, takesPart := hookOf(live.Object); hook || !takesPart {
		r.setApart(hook, live)
		return
	}
	r.verdict = Extra
	c.see(r, live)
	options, _ := c.options.For(live.Object)
	r.stays = options.Prune == plan.DeleteNever
	r.ignoreExtraneous = diff.ParseCompareOptions(live.Object.GetAnnotations()[v1alpha1.AnnotationCompareOptions]).IgnoreExtraneous
}

// setApart fills in the row of an object that is not compared.
func (r *row) setApart(hook bool, live cluster.Live) {
	r.verdict, r.hook, r.keep, r.confirmed = Apart, hook, false, nil
	if live.Presence == cluster.Present {
		r.live = identityOf(live)
	}
}

// hookOf reports whether a live object is a hook, and whether it takes part in syncs at all.
func hookOf(live *unstructured.Unstructured) (hook, takesPart bool) {
	hooks, takesPart := plan.Hooks(live)
	return len(hooks) > 0, takesPart
}

// drop forgets an object.
func (c *comparer) drop(key object.Key) {
	c.learned.forget(key, c.table.rows[key])
	c.table.drop(key)
}

// see takes over what a live object says of itself.
func (c *comparer) see(r *row, live cluster.Live) {
	r.live = identityOf(live)
	r.ignoreHealth = live.Object.GetAnnotations()[v1alpha1.AnnotationIgnoreHealthCheck] == "true" || r.key == c.self
	r.health, r.hasHealth = c.settings.Health.Of(live.Object)
	r.images = imagesOf(live.Object)
}

func identityOf(live cluster.Live) identity {
	return identity{present: true, uid: live.UID, resourceVersion: live.ResourceVersion, owner: live.Owner, deleting: live.Deleting}
}

// sharedWith returns the application that an object's mark names if that application still desires it: then it is not
// ours to take. One that is gone, or does not desire the object at its newest revision, has let go of it.
func (c *comparer) sharedWith(ctx context.Context, key object.Key, owner string) string {
	if owner == "" || owner == c.id {
		return ""
	}
	c.wanted.concern(key, c.id)
	for _, id := range c.wanted.of(c.server, key) {
		if id == owner {
			return owner
		}
	}
	if c.undecided(ctx, owner) {
		return owner // what it desires is not known: not yet looked at, or its source cannot be read
	}
	return ""
}

// judge compares, and asks the API server about what cannot be decided here.
func (c *comparer) judge(ctx context.Context, r *row, live *unstructured.Unstructured) {
	in, err := c.input(ctx, r, live)
	if err != nil {
		r.reason = err.Error()
		return
	}
	res := diff.Compare(in)
	if res.NeedsConfirmation {
		res = c.confirmed(ctx, r, in, res)
	}
	if res.Learned != nil && (r.accepted == nil || *r.accepted != *res.Learned) {
		r.accepted = res.Learned
		c.learned.note(r.key, *res.Learned)
	}
	r.changes, r.reason = res.Changes, ""
	switch res.Verdict {
	case diff.Same:
		r.verdict = Same
	case diff.Different:
		r.verdict = Different
	default:
		r.verdict, r.reason = Unknown, res.Reason
	}
}

// confirmed returns what the API server says of a comparison; it is asked once about the same pair of forms.
func (c *comparer) confirmed(ctx context.Context, r *row, in diff.Input, candidate diff.Result) diff.Result {
	as := c.optionsOf(in.Desired)
	if known := r.confirmed; known != nil && known.key == candidate.Key && known.as == as {
		return known.result
	}
	res := c.confirm(ctx, in, candidate, as)
	r.confirmed = nil
	if res.Verdict != diff.Unknown {
		r.confirmed = &confirmation{key: candidate.Key, as: as, result: res}
	}
	return res
}

// optionsOf returns how an object is compared: as its application says, and more strictly if its source says so.
func (c *comparer) optionsOf(want *unstructured.Unstructured) diff.CompareOptions {
	of := diff.ParseCompareOptions(want.GetAnnotations()[v1alpha1.AnnotationCompareOptions])
	of.ServerSideDiff = of.ServerSideDiff || c.compareAs.ServerSideDiff
	of.IncludeMutationWebhook = of.IncludeMutationWebhook || c.compareAs.IncludeMutationWebhook
	return of
}

func (c *comparer) input(ctx context.Context, r *row, live *unstructured.Unstructured) (diff.Input, error) {
	sch, err := c.schema(ctx, r.desired.GVK())
	if err != nil {
		return diff.Input{}, err
	}
	want := r.desired.Decode()
	options, _ := c.options.For(want)
	return diff.Input{
		Desired: want, DesiredDigest: r.desired.Digest, Live: live, Accepted: r.accepted, Tracker: c.migrates,
		How: howOf(options), Adopt: c.adopt, Schema: sch, Rules: c.rules, Mutations: c.optionsOf(want).IncludeMutationWebhook,
	}, nil
}

func (c *comparer) schema(ctx context.Context, gvk schema.GroupVersionKind) (*diff.Schema, error) {
	return c.schemas.get(ctx, c.cluster, gvk, c.customs.knownTypes(gvk.GroupKind()))
}

// confirm asks the API server what an apply would make of the object.
func (c *comparer) confirm(ctx context.Context, in diff.Input, candidate diff.Result, as diff.CompareOptions) diff.Result {
	res, err := c.ask(ctx, in, candidate.How)
	if errors.Is(err, cluster.ApplyRefused) && in.How != diff.ThreeWay {
		// Server-side apply does not take it, so a sync writes it as client-side apply does: compare it that way.
		in.How = diff.ThreeWay
		if candidate = diff.Compare(in); !candidate.NeedsConfirmation {
			return candidate
		}
		res, err = c.ask(ctx, in, candidate.How)
	}
	if err == nil {
		return res
	}
	candidate.NeedsConfirmation = false
	if refused(err) && !as.ServerSideDiff {
		// The API server would not take what is desired, so live is not that: a sync will say why, in its own words.
		candidate.Verdict = diff.Different
		return candidate
	}
	candidate.Verdict, candidate.Learned = diff.Unknown, nil
	candidate.Reason = "whether it differs could not be confirmed: " + err.Error()
	return candidate
}

// refused reports whether an API server says that it would not take an object.
func refused(err error) bool {
	return errors.Is(err, cluster.Invalid) || errors.Is(err, cluster.ApplyRefused) || errors.Is(err, cluster.WebhookRefused)
}

// imagesOf returns the images of every pod template in an object.
func imagesOf(u *unstructured.Unstructured) []string {
	var out []string
	for _, at := range [][]string{{"spec"}, {"spec", "template", "spec"}, {"spec", "jobTemplate", "spec", "template", "spec"}} {
		for _, list := range []string{"initContainers", "containers"} {
			containers, _, _ := unstructured.NestedFieldNoCopy(u.Object, append(at[:len(at):len(at)], list)...)
			items, _ := containers.([]any)
			for _, c := range items {
				if m, ok := c.(map[string]any); ok {
					if image, ok := m["image"].(string); ok && image != "" {
						out = append(out, image)
					}
				}
			}
		}
	}
	return out
}
