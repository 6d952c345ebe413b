// SPDX-License-Identifier: Apache-2.0

// Package object holds what every room says about a Kubernetes object: which one it is, where it was written,
// in which order objects come, and whose it is.
//
// The words of this room:
//
//   - Key: an object's identity in one cluster: group, kind, namespace, name. The version is not part of it.
//   - Manifest: an object as a source has it, with its Origin (file and line).
//   - Digest: a hash of an object's content that is equal exactly when the content is.
//   - Tracking mark: the annotation or label that says which Application an object belongs to.
package object

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Key identifies an object in one cluster, whatever version it is written in.
type Key struct {
	Group, Kind, Namespace, Name string
}

// KeyOf returns the identity of u. Namespace is as u says.
func KeyOf(u *unstructured.Unstructured) Key {
	gvk := u.GroupVersionKind()
	return Key{Group: gvk.Group, Kind: gvk.Kind, Namespace: u.GetNamespace(), Name: u.GetName()}
}

// GroupKind returns the group and kind.
func (k Key) GroupKind() schema.GroupKind { return schema.GroupKind{Group: k.Group, Kind: k.Kind} }

// String returns "Kind.group namespace/name", as people write it.
func (k Key) String() string {
	kind := k.Kind
	if k.Group != "" {
		kind += "." + k.Group
	}
	if k.Namespace == "" {
		return kind + " " + k.Name
	}
	return kind + " " + k.Namespace + "/" + k.Name
}

// Compare orders keys by group, kind, namespace and name.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Group, o.Group), cmp.Compare(k.Kind, o.Kind),
		cmp.Compare(k.Namespace, o.Namespace), cmp.Compare(k.Name, o.Name))
}

// Origin says where a manifest was written.
type Origin struct {
	Source int    // index of the application's source
	File   string // path in the source's tree; "" if it has none
	Line   int    // first line of the document, from 1; 0 if unknown
}

// String returns "file:line".
func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return fmt.Sprintf("%s:%d", o.File, o.Line)
}

// Manifest is an object as a source has it.
type Manifest struct {
	Object *unstructured.Unstructured
	Origin Origin
}

// Digest is a hash of content; "" means there is none.
type Digest string

// DigestOf hashes the JSON form of v (map keys sorted, so equal content gives an equal digest).
// It panics on values that have no JSON form: callers pass objects and structs only.
func DigestOf(v any) Digest {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("object: digest of a value without JSON form: %v", err))
	}
	return DigestBytes(data)
}

// DigestBytes hashes raw bytes.
func DigestBytes(data []byte) Digest {
	sum := sha256.Sum256(data)
	return Digest(base64.RawURLEncoding.EncodeToString(sum[:18]))
}
