// SPDX-License-Identifier: Apache-2.0

package object

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// TrackingMethod is how objects are marked as belonging to an Application
// (key application.resourceTrackingMethod of argocd-cm).
type TrackingMethod string

// The methods. Annotation is the default.
const (
	TrackByAnnotation         TrackingMethod = "annotation"
	TrackByLabel              TrackingMethod = "label"
	TrackByAnnotationAndLabel TrackingMethod = "annotation+label"
)

// TrackingID is the value of the tracking annotation: "app:group/Kind:namespace/name".
// A cluster-scoped object carries the Application's destination namespace in the namespace's place.
type TrackingID struct {
	App string // instance name
	Key Key
}

// String returns the annotation's value.
func (t TrackingID) String() string {
	return t.App + ":" + t.Key.Group + "/" + t.Key.Kind + ":" + t.Key.Namespace + "/" + t.Key.Name
}

// ParseTrackingID reads an annotation's value; ok is false if it does not have the form of one.
func ParseTrackingID(value string) (id TrackingID, ok bool) {
	// An object's name may hold colons (RBAC objects); the other parts cannot.
	app, rest, ok := strings.Cut(value, ":")
	if !ok {
		return TrackingID{}, false
	}
	groupKind, nsName, ok := strings.Cut(rest, ":")
	if !ok {
		return TrackingID{}, false
	}
	group, kind, ok := strings.Cut(groupKind, "/")
	if !ok {
		return TrackingID{}, false
	}
	namespace, name, ok := strings.Cut(nsName, "/")
	if !ok || strings.Contains(kind, "/") || strings.Contains(name, "/") {
		return TrackingID{}, false
	}
	return TrackingID{App: app, Key: Key{Group: group, Kind: kind, Namespace: namespace, Name: name}}, true
}

// Tracker marks objects and reads marks, by one installation's settings.
type Tracker struct {
	Method         TrackingMethod // "" means annotation
	LabelKey       string         // "" means app.kubernetes.io/instance
	InstallationID string         // "" means none is written or asked for
}

func (t Tracker) method() TrackingMethod {
	if t.Method == "" {
		return TrackByAnnotation
	}
	return t.Method
}

func (t Tracker) labelKey() string {
	if t.LabelKey == "" {
		return v1alpha1.LabelKeyAppInstance
	}
	return t.LabelKey
}

// Mark writes the tracking mark of the application with this instance name into u. u's namespace is already
// the one it is applied to; destNamespace stands in for it on cluster-scoped objects.
func (t Tracker) Mark(u *unstructured.Unstructured, app, destNamespace string) {
	if t.method() != TrackByLabel {
		key := KeyOf(u)
		if key.Namespace == "" {
			key.Namespace = destNamespace
		}
		annotations := u.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[v1alpha1.AnnotationKeyAppInstance] = TrackingID{App: app, Key: key}.String()
		if t.InstallationID != "" {
			annotations[v1alpha1.AnnotationInstallationID] = t.InstallationID
		}
		u.SetAnnotations(annotations)
	}
	if t.method() != TrackByAnnotation {
		labels := u.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[t.labelKey()] = t.labelValue(app)
		u.SetLabels(labels)
	}
}

// labelValue cuts the name to a label's 63 characters, ending in one that a label may end in, for
// annotation+label only: there the label is a convenience; in label mode a cut would make two apps one.
func (t Tracker) labelValue(app string) string {
	if t.method() != TrackByAnnotationAndLabel || len(app) <= 63 {
		return app
	}
	return strings.TrimRight(app[:63], "-_.")
}

// Marks is the part of an object's metadata that says whose it is.
type Marks struct {
	ID           string // tracking annotation, as written
	Label        string // instance label, as written
	Installation string // installation id annotation
}

// MarksOf reads the marks of an object.
func (t Tracker) MarksOf(m metav1.Object) Marks {
	annotations := m.GetAnnotations()
	return Marks{
		ID:           annotations[v1alpha1.AnnotationKeyAppInstance],
		Label:        m.GetLabels()[t.labelKey()],
		Installation: annotations[v1alpha1.AnnotationInstallationID],
	}
}

// Owner returns the instance name of the application that the object with this key belongs to, by its marks;
// "" if it is nobody's. An annotation that describes another object than the one that carries it (a copy made
// by another controller) gives no owner, nor does another installation's id.
func (t Tracker) Owner(key Key, m Marks) string {
	if t.InstallationID != "" && t.method() != TrackByLabel && m.Installation != t.InstallationID {
		return ""
	}
	if t.method() == TrackByLabel {
		return m.Label
	}
	id, ok := ParseTrackingID(m.ID)
	if !ok || !describes(id.Key, key) {
		return ""
	}
	return id.App
}

// describes reports whether a tracking id's key is that of the object. The namespace of a cluster-scoped
// object is a stand-in and not compared.
func describes(id, key Key) bool {
	if key.Namespace == "" {
		id.Namespace = ""
	}
	return id == key
}
