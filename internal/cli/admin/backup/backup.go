// SPDX-License-Identifier: Apache-2.0

// Package backup are the verbs `bowline admin export` and `bowline admin import`: all settings, projects and applications of
// an installation as one file of YAML documents, in the form that argocd's verbs of these names write and read
// (https://argo-cd.readthedocs.io/en/stable/operator-manual/disaster_recovery/).
//
// The words of this package:
//
//   - Part: an object that belongs to an installation: its ConfigMaps, its Secrets, projects, applications, application sets.
//   - Home: the control namespace. A document without a namespace is about an object at home.
package backup

import (
	"cmp"
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
)

// The kinds of parts, in the order in which they are written.
var (
	configMaps = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
	secrets    = schema.GroupVersionKind{Version: "v1", Kind: "Secret"}
	projects   = v1alpha1.SchemeGroupVersion.WithKind("AppProject")
	apps       = v1alpha1.SchemeGroupVersion.WithKind("Application")
	appSets    = v1alpha1.SchemeGroupVersion.WithKind("ApplicationSet")
)

var kinds = []schema.GroupVersionKind{configMaps, secrets, projects, apps, appSets}

// settingNames are the ConfigMaps that are parts, in the order in which they are written.
var settingNames = []string{v1alpha1.ConfigMapName, v1alpha1.RBACConfigMapName, v1alpha1.KnownHostsConfigMapName, v1alpha1.TLSCertsConfigMapName}

// managedBy marks Secrets and ConfigMaps that Argo CD keeps by itself.
const (
	managedBy     = "managed-by"
	managedByArgo = "argocd.argoproj.io"
)

// installation is what an export reads and an import writes.
type installation struct {
	kube kube.Client
	home string
	// apps and appSets choose the namespaces beside home that hold applications and application sets.
	apps, appSets []string
}

// complete takes the namespaces that no flag named from argocd-cmd-params-cm.
func (i *installation) complete(ctx context.Context) error {
	if len(i.apps) > 0 && len(i.appSets) > 0 {
		return nil
	}
	params := &unstructured.Unstructured{}
	params.SetGroupVersionKind(configMaps)
	err := i.kube.Get(ctx, kube.ObjectKey{Namespace: i.home, Name: v1alpha1.CommandParamsConfigMapName}, params)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return reach.Explain(err, "read", "ConfigMap "+i.home+"/"+v1alpha1.CommandParamsConfigMapName)
	}
	data, _, _ := unstructured.NestedStringMap(params.Object, "data")
	if len(i.apps) == 0 {
		i.apps = listed(data["application.namespaces"])
	}
	if len(i.appSets) == 0 {
		i.appSets = listed(data["applicationsetcontroller.namespaces"])
	}
	return nil
}

func listed(text string) []string {
	var out []string
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

// elsewhere are the patterns of namespaces beside home that hold objects of a kind.
func (i *installation) elsewhere(gvk schema.GroupVersionKind) []string {
	switch gvk {
	case apps:
		return i.apps
	case appSets:
		return i.appSets
	}
	return nil
}

// holds reports whether objects of a kind in a namespace belong to the installation.
func (i *installation) holds(gvk schema.GroupVersionKind, namespace string) bool {
	return namespace == i.home || access.CompileNamespaces(i.elsewhere(gvk)).Match(namespace)
}

// parts returns all parts that there are: ConfigMaps in their order, all else by namespace and name.
func (i *installation) parts(ctx context.Context) ([]unstructured.Unstructured, error) {
	var out []unstructured.Unstructured
	for _, gvk := range kinds {
		found, err := i.list(ctx, gvk)
		if gvk == appSets && (meta.IsNoMatchError(err) || apierrors.IsNotFound(err)) {
			continue // an installation without application sets does not have the kind
		}
		if err != nil {
			return nil, reach.Explain(err, "list", gvk.Kind+" objects")
		}
		out = append(out, found...)
	}
	return out, nil
}

func (i *installation) list(ctx context.Context, gvk schema.GroupVersionKind) ([]unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	options := []kube.ListOption{kube.InNamespace(i.home)}
	if len(i.elsewhere(gvk)) > 0 {
		options = nil // patterns are of namespaces that have to be seen first
	}
	if err := i.kube.List(ctx, list, options...); err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(list.Items, func(o unstructured.Unstructured) bool { return !i.part(gvk, &o) })
	slices.SortFunc(out, func(a, b unstructured.Unstructured) int {
		if gvk == configMaps {
			return cmp.Compare(slices.Index(settingNames, a.GetName()), slices.Index(settingNames, b.GetName()))
		}
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
	return out, nil
}

// part reports whether an object is a part.
func (i *installation) part(gvk schema.GroupVersionKind, o *unstructured.Unstructured) bool {
	switch gvk {
	case configMaps:
		return slices.Contains(settingNames, o.GetName())
	case secrets:
		_, declares := o.GetLabels()[v1alpha1.LabelKeySecretType]
		return o.GetName() == v1alpha1.SecretName || declares || o.GetAnnotations()[managedBy] == managedByArgo
	}
	return i.holds(gvk, o.GetNamespace())
}

func name(gvk schema.GroupVersionKind, o *unstructured.Unstructured) string {
	return gvk.Group + "/" + gvk.Kind + " " + o.GetName()
}
