// SPDX-License-Identifier: Apache-2.0

package install

import (
	"crypto/rand"
	"encoding/base64"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/settings"
)

// The labels by which Argo CD finds its settings and people tell whose they are.
func settingsMeta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: namespace,
		Name:      name,
		Labels: mark(map[string]string{
			"app.kubernetes.io/name": name,
			v1alpha1.LabelKeyPartOf:  v1alpha1.LabelValuePartOfArgoCD,
		}),
	}
}

// defaultConfigMaps are the settings of a new installation.
func defaultConfigMaps(namespace string) []*corev1.ConfigMap {
	return []*corev1.ConfigMap{
		{
			ObjectMeta: settingsMeta(namespace, v1alpha1.ConfigMapName),
			Data:       defaultSettings(),
		},
		{ObjectMeta: settingsMeta(namespace, v1alpha1.RBACConfigMapName)},
		{ObjectMeta: settingsMeta(namespace, v1alpha1.CommandParamsConfigMapName)},
		// argocd admin export and import end without these.
		{ObjectMeta: settingsMeta(namespace, v1alpha1.KnownHostsConfigMapName)},
		{ObjectMeta: settingsMeta(namespace, v1alpha1.TLSCertsConfigMapName)},
	}
}

// defaultSettings are what Argo CD ships too: kinds that are out of sight, and updates that cause no work.
func defaultSettings() map[string]string {
	data := settings.DefaultIgnoredUpdates()
	data["resource.exclusions"] = settings.DefaultResourceExclusions
	return data
}

// defaultSecret is the Secret that keys and passwords go into. It begins with the key that sessions are signed with and that
// what is kept on disk is encrypted with, as Argo CD's server makes one.
func defaultSecret(namespace string) *corev1.Secret {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return &corev1.Secret{
		ObjectMeta: settingsMeta(namespace, v1alpha1.SecretName), Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{signingKey: []byte(base64.StdEncoding.EncodeToString(key))},
	}
}

// signingKey is the key of argocd-secret that sessions are signed with.
const signingKey = "server.secretkey"

// defaultProject allows everything, as every Application that names no project expects.
func defaultProject(namespace string) *v1alpha1.AppProject {
	return &v1alpha1.AppProject{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.AppProjectKind},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: v1alpha1.DefaultAppProjectName},
		Spec: v1alpha1.AppProjectSpec{
			SourceRepos:              []string{"*"},
			Destinations:             []v1alpha1.ApplicationDestination{{Server: "*", Namespace: "*"}},
			ClusterResourceWhitelist: []v1alpha1.ClusterResourceRestrictionItem{{Group: "*", Kind: "*"}},
		},
	}
}
