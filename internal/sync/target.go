// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/internal/object"
)

// Target is the cluster a plan is carried out on. All methods are called from several goroutines.
type Target interface {
	// Kind says how a kind is served.
	Kind(ctx context.Context, gvk schema.GroupVersionKind) Kind
	// Read asks the API server for an object.
	Read(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error)
	// Live returns an object as it is watched, without asking the API server; nil if it is known not to be there. known is
	// false if it is not watched, or not up to date: then Read tells.
	Live(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (live *unstructured.Unstructured, known bool)
	// Write writes an object and returns the API server's answer.
	Write(ctx context.Context, w Write) (*unstructured.Unstructured, error)
	// Delete deletes exactly the object that was judged. One that is gone already is success.
	Delete(ctx context.Context, d Deletion) error
	// Reason says why one of the calls above failed; "" if it is none of the reasons below.
	Reason(err error) Reason
}

// Reason is a cause that decides what is done next.
type Reason string

// The reasons.
const (
	Conflict         Reason = "conflict"          // the object changed meanwhile
	AlreadyExists    Reason = "already exists"    // it is there already
	NotFound         Reason = "not found"         // the object is not there, by the API server's word
	NamespaceMissing Reason = "namespace missing" // its namespace is not there
	NoSuchKind       Reason = "no such kind"      // its kind, or this version of it, is not served
	Invalid          Reason = "invalid"           // a field of it is not accepted
	ApplyRefused     Reason = "apply refused"     // server-side apply cannot merge it; other ways may
	NotOwned         Reason = "not owned"         // its tracking mark names somebody else
	DryRunRefused    Reason = "dry run unsupported"
	Forbidden        Reason = "forbidden"       // a right is missing
	QuotaExceeded    Reason = "quota exceeded"  // for now
	NotAdmitted      Reason = "not admitted"    // by a rule of the cluster for all objects
	WebhookRefused   Reason = "webhook refused" // or a policy
	WebhookFailed    Reason = "webhook failed"  // it did not answer
)

// Kind is how a kind is served. If Served is false then Absent says whether that is the API server's word, or could not
// be told for Why.
type Kind struct {
	Served, Absent bool
	Namespaced     bool
	Why            string
}

// Method is a way of writing.
type Method string

// The ways.
const (
	Apply   Method = "apply"   // server-side
	Create  Method = "create"  // it must not be there
	Replace Method = "replace" // whatever is there, or nothing
	Patch   Method = "patch"   // the patch that goes along
)

// Write is one write.
type Write struct {
	Method Method
	// Object is what is written; for Patch only its identity counts.
	Object    *unstructured.Unstructured
	PatchType types.PatchType
	Patch     []byte
	Manager   string // field manager
	Force     bool   // Apply: take fields that other managers own
	DryRun    bool
	// DropUnknown lets the API server drop fields it does not know instead of refusing the object.
	DropUnknown bool
}

// Deletion says which object is deleted, beyond its name, and how.
type Deletion struct {
	Key             object.Key
	Version         string // API version of the kind; "" means the preferred one
	UID             types.UID
	ResourceVersion string // the version whose mark was judged
	Owner           string // the instance name its mark has to give; "" asks for none
	// Check judges a newer version of the object, should it have changed since; an error leaves it alone.
	Check       func(*unstructured.Unstructured) error
	Propagation metav1.DeletionPropagation
	DryRun      bool
}
