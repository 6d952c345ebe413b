// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"time"
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/bowline-cd/bowline/internal/object"
)

// item is an object as it came over the wire: the metadata the store works with, and the whole of it as JSON.
type item struct {
	meta itemMeta
	raw  []byte
}

// itemMeta is the part of an object's metadata that the store works with. Decoding into it leaves everything else,
// a Secret's data among it, behind.
type itemMeta struct {
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace"`
	UID               string            `json:"uid"`
	ResourceVersion   string            `json:"resourceVersion"`
	Generation        int64             `json:"generation"`
	CreationTimestamp string            `json:"creationTimestamp"`
	DeletionTimestamp *metav1.Time      `json:"deletionTimestamp"`
	Labels            map[string]string `json:"labels"`
	Annotations       map[string]string `json:"annotations"`
	OwnerReferences   []ownerReference  `json:"ownerReferences"`
}

// ownerReference is the part of one that says which object is meant.
type ownerReference struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	UID        string `json:"uid"`
}

func (r ownerReference) groupKind() schema.GroupKind {
	return schema.FromAPIVersionAndKind(r.APIVersion, r.Kind).GroupKind()
}

// created returns when the object was made, in seconds since 1970; 0 if it does not say.
func (m *itemMeta) created() uint32 {
	at, err := time.Parse(time.RFC3339, m.CreationTimestamp)
	if err != nil || at.Unix() < 0 {
		return 0
	}
	return uint32(at.Unix())
}

// marks reads the tracking marks by the tracker's rules.
func (m *itemMeta) marks(t object.Tracker) object.Marks {
	return t.MarksOf(&metav1.ObjectMeta{Labels: m.Labels, Annotations: m.Annotations})
}

// intern keeps one copy of strings that many objects share.
func intern(s string) string {
	if s == "" {
		return ""
	}
	return unique.Make(s).Value()
}

// newer compares two resourceVersions of one kind. They can be compared where they are whole numbers, which the API
// conventions guarantee since Kubernetes 1.35 and etcd always did
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions); known is false otherwise.
func newer(a, b string) (isNewer, known bool) {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return order > 0, err == nil
}
