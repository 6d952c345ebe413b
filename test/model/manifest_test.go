// SPDX-License-Identifier: Apache-2.0

package model

import (
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/test/devcluster"
)

// Every object says what it is in the scenario.
const (
	thingKey   = "model.test/thing"
	versionKey = "model.test/version"
)

type fields = map[string]any

// files returns the folder of a commit, by path.
func (s *scenario) files(n int) (map[string]string, error) {
	files := map[string]string{}
	for _, t := range s.commits[n].things {
		text, err := yaml.Marshal(t.manifest(s.name))
		if err != nil {
			return nil, err
		}
		files[s.name+"/"+strings.ToLower(t.kind)+"-"+t.name+".yaml"] = string(text)
	}
	return files, nil
}

// manifest returns the object as it is in Git.
func (t *thing) manifest(app string) fields {
	metadata := fields{"annotations": t.annotations()}
	if t.generated {
		metadata["generateName"] = app + "-" + t.name + "-"
	} else {
		metadata["name"] = app + "-" + t.name
	}
	m := fields{"apiVersion": "v1", "kind": t.kind, "metadata": metadata}
	pod := fields{"metadata": fields{"annotations": t.behaviour(), "labels": fields{"app": app + "-" + t.name}}}
	container := fields{"name": "main", "image": "example.com/model:v" + strconv.Itoa(t.version)}
	switch t.kind {
	case "ConfigMap":
		m["data"] = fields{"version": strconv.Itoa(t.version)}
	case "Service":
		m["spec"] = fields{"selector": fields{"app": app}, "ports": []fields{{"port": 80 + t.version}}}
	case "Deployment":
		m["apiVersion"] = "apps/v1"
		pod["spec"] = fields{"containers": []fields{container}}
		spec := fields{"replicas": 1, "selector": fields{"matchLabels": fields{"app": app + "-" + t.name}}, "template": pod}
		if t.end == stuck {
			spec["progressDeadlineSeconds"] = 1
		}
		m["spec"] = spec
	case "Job":
		m["apiVersion"] = "batch/v1"
		pod["spec"] = fields{"restartPolicy": "Never", "containers": []fields{container}}
		spec := fields{"backoffLimit": 0, "template": pod}
		if t.ttl {
			spec["ttlSecondsAfterFinished"] = 1
		}
		m["spec"] = spec
	case "Pod":
		for k, v := range t.behaviour() {
			t.put(metadata, k, v)
		}
		m["spec"] = fields{"restartPolicy": "Never", "containers": []fields{container}}
	case "Nothing":
		m["apiVersion"] = "model.test/v1"
	}
	return m
}

func (t *thing) put(metadata fields, key string, value any) {
	metadata["annotations"].(fields)[key] = value
}

// behaviour is what its pod does.
func (t *thing) behaviour() fields {
	out := fields{devcluster.PodAnnotation: map[string]string{badly: "fail", never: "hang", stuck: "hang"}[t.end]}
	if t.end == well {
		out[devcluster.PodAnnotation] = "run"
	}
	if t.delay > 0 {
		out[devcluster.DelayAnnotation] = strconv.Itoa(t.delay) + "ms"
	}
	return out
}

// helmNames are Helm's names of our hooks and policies.
var helmNames = map[string]string{
	preSync: "pre-install,pre-upgrade", postSync: "post-install,post-upgrade",
	succeeded: "hook-succeeded", failed: "hook-failed", before: "before-hook-creation",
}

func (t *thing) annotations() fields {
	out := fields{thingKey: t.name, versionKey: strconv.Itoa(t.version)}
	if t.pruneLast {
		out[v1alpha1.AnnotationSyncOptions] = "PruneLast=true"
	}
	wave, hook, policy, names := v1alpha1.AnnotationSyncWave, v1alpha1.AnnotationKeyHook, v1alpha1.AnnotationKeyHookDeletePolicy, func(n string) string { return n }
	if t.helm {
		wave, hook, policy = v1alpha1.AnnotationKeyHelmHookWeight, v1alpha1.AnnotationKeyHelmHook, v1alpha1.AnnotationKeyHelmHookDeletion
		names = func(n string) string { return helmNames[n] }
	}
	if t.wave != 0 {
		out[wave] = strconv.Itoa(t.wave)
	}
	if t.hook() {
		out[hook] = join(t.hooks, names)
	}
	if len(t.policies) > 0 {
		out[policy] = join(t.policies, names)
	}
	return out
}

func join(words []string, spell func(string) string) string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		out = append(out, spell(w))
	}
	return strings.Join(out, ",")
}
