// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"sigs.k8s.io/yaml"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// namespace is where all objects go.
const namespace = "bench"

// fleet is the size of what is deployed.
type fleet struct{ apps, objects int }

func appName(i int) string { return fmt.Sprintf("app-%04d", i) }

// manifests returns the objects of one application. version is written where a push changes things.
func (f fleet) manifests(app int, version string) []*unstructured.Unstructured {
	name := appName(app)
	labels := map[string]any{"app": name}
	out := []*unstructured.Unstructured{
		newObject("apps/v1", "Deployment", name, map[string]any{"spec": map[string]any{
			"replicas": int64(1),
			"selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{
				"metadata": map[string]any{"labels": labels},
				"spec": map[string]any{"containers": []any{map[string]any{
					"name": "main", "image": "registry.example/app:1",
					"env": []any{map[string]any{"name": "LEVEL", "value": "info"}},
					"resources": map[string]any{
						"requests": map[string]any{"cpu": "10m", "memory": "16Mi"}, "limits": map[string]any{"memory": "32Mi"}},
				}}},
			}}}),
		newObject("v1", "Service", name, map[string]any{"spec": map[string]any{
			"selector": labels, "ports": []any{map[string]any{"port": int64(80), "targetPort": int64(8080)}}}}),
	}
	for i := range f.objects - 2 {
		value := "steady"
		if i == 0 {
			value = version
		}
		out = append(out, newObject("v1", "ConfigMap", fmt.Sprintf("%s-%d", name, i), map[string]any{"data": map[string]any{
			"version": value, "file.conf": "listen 8080\nworkers 4\nlog info\ntimeout 30s\n"}}))
	}
	return out
}

func newObject(apiVersion, kind, name string, body map[string]any) *unstructured.Unstructured {
	body["apiVersion"], body["kind"], body["metadata"] = apiVersion, kind, map[string]any{"name": name}
	return &unstructured.Unstructured{Object: body}
}

// files returns an application's files in the repository.
func (f fleet) files(app int, version string) (map[string]string, error) {
	files := map[string]string{}
	for _, u := range f.manifests(app, version) {
		text, err := yaml.Marshal(u.Object)
		if err != nil {
			return nil, err
		}
		files[fmt.Sprintf("apps/%s/%s-%s.yaml", appName(app), u.GetKind(), u.GetName())] = string(text)
	}
	return files, nil
}

// application returns the Application of an index, as a user would write it.
func application(i int, repoURL, ns string) *v1alpha1.Application {
	yes := true
	return &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: appName(i), Namespace: ns},
		Spec: v1alpha1.ApplicationSpec{
			Project:     v1alpha1.DefaultAppProjectName,
			Source:      &v1alpha1.ApplicationSource{RepoURL: repoURL, TargetRevision: "main", Path: "apps/" + appName(i)},
			Destination: v1alpha1.ApplicationDestination{Server: v1alpha1.KubernetesInternalAPIServerAddr, Namespace: namespace},
			SyncPolicy:  &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{Prune: &yes, SelfHeal: &yes}},
		},
	}
}
