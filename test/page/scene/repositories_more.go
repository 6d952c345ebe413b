// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// platform is a repository with one Helm chart, values for each agent, and the Applications that install them.
func platform() []commit {
	files := map[string]string{
		"chart/Chart.yaml":                "apiVersion: v2\nname: agent\nversion: 1.4.0\ndescription: What every agent of the platform is made of\n",
		"chart/values.yaml":               "image: platform/agent:1.0.0\nreplicas: 1\npods: run\nfeatures: \"\"\n",
		"chart/templates/workload.yaml":   chartTemplate(),
		"chart/templates/service.yaml":    fill(around, "name", "{{ .Release.Name }}", "features", "{{ .Values.features }}"),
		"chart/templates/_helpers.tpl":    `{{- define "agent.name" -}}{{ .Release.Name }}{{- end -}}` + "\n",
		"chart/templates/permission.yaml": permission,
	}
	for i, name := range agents {
		files["values/"+name+".yaml"] = fmt.Sprintf("image: platform/%s:1.%d.0\nreplicas: %d\n", name, i+2, i%3+1)
		files["apps/"+name+".yaml"] = child(name)
	}
	files["extra/backups.yaml"] = cronJobOf("backups", "platform/backups:1.8.0", "0 2 * * *", true)
	return []commit{
		{author: chidi, message: "Agents of the platform, from one chart", ago: 90 * day, files: files},
		{author: ana, message: "metrics: keep fifteen days", ago: 11 * day, files: map[string]string{"values/metrics.yaml": "image: platform/metrics:1.5.0\nreplicas: 2\nfeatures: retention-15d\n"}},
		{author: bot, message: "logs: 1.8.0", ago: 70 * time.Minute, files: map[string]string{"values/logs.yaml": "image: platform/logs:1.8.0\nreplicas: 2\npods: crash\n"}},
	}
}

func chartTemplate() string {
	text := workload{name: "NAME", image: "IMAGE", replicas: 1, pods: "PODS", deadline: 10}.deployment()
	return strings.NewReplacer("NAME", `{{ include "agent.name" . }}`, "IMAGE", "{{ .Values.image }}", "PODS", "{{ .Values.pods }}",
		"replicas: 1", "replicas: {{ .Values.replicas }}").Replace(text)
}

const permission = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: "{{ .Release.Name }}"}
rules: [{apiGroups: [""], resources: [pods, services], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: "{{ .Release.Name }}"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: "{{ .Release.Name }}"}
subjects: [{kind: ServiceAccount, name: "{{ .Release.Name }}", namespace: "{{ .Release.Namespace }}"}]
`

// child is the Application of an agent, in the repository.
func child(name string) string {
	return fill(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
  labels: {team: platform, env: prod, tier: "1"}
  finalizers: [resources-finalizer.argocd.argoproj.io]
spec:
  project: platform
  source:
    repoURL: {host}/platform/charts.git
    path: chart
    targetRevision: main
    helm: {valueFiles: [../values/{name}.yaml]}
  destination: {server: https://kubernetes.default.svc, namespace: platform}
  syncPolicy: {automated: {prune: true, selfHeal: true}}
`, "name", name, "host", host)
}

// data is a repository of stateful things and schedules, and of values for a chart that is elsewhere.
func data() []commit {
	files := map[string]string{
		"warehouse/all.yaml": joined(fill(statefulSet, "name", "warehouse", "replicas", "3", "image", "data/warehouse:24.3"), fill(secret, "name", "warehouse")),
		"stream/all.yaml":    joined(fill(statefulSet, "name", "stream", "replicas", "3", "image", "data/stream:3.7.0"), fill(around, "name", "stream", "features", "")),
		"cache/all.yaml":     joined(fill(statefulSet, "name", "cache", "replicas", "2", "image", "data/cache:7.2"), fill(around, "name", "cache", "features", "")),
		"exports/all.yaml":   cronJobOf("exports", "data/exports:1.1.0", "30 3 * * *", true),
		"reports.yaml":       "image: data/reports:2.0.4\nreplicas: 2\nfeatures: weekly,monthly\n",
	}
	var jobs []string
	for _, name := range []string{"orders", "customers", "stock"} {
		jobs = append(jobs, cronJobOf("load-"+name, "data/etl:3.4.1", "15 * * * *", false))
	}
	files["etl/all.yaml"] = joined(jobs...)
	return []commit{
		{author: dana, message: "Pipelines and what they run on", ago: 33 * day, files: files},
		{author: ana, message: "reports: monthly ones too", ago: 6 * day, files: map[string]string{"reports.yaml": "image: data/reports:2.1.0\nreplicas: 2\nfeatures: weekly,monthly\n"}},
	}
}

// labs is a repository where everybody tries things.
func labs() []commit {
	files := map[string]string{}
	for _, name := range experiments {
		files[name+"/all.yaml"] = joined(workload{name: name, image: "labs/" + name + ":0.3.0"}.deployment(), fill(around, "name", name, "features", ""))
	}
	maps.Copy(files, map[string]string{"point-of-sale/all.yaml": joined(workload{name: "point-of-sale", image: "shop/point-of-sale:1.0.3"}.deployment(), fill(around, "name", "point-of-sale", "features", ""))})
	return []commit{{author: bjorn, message: "Everything that is tried at the moment", ago: 8 * day, files: files}}
}

var experiments = []string{"feature-flags", "chat", "price-preview", "status-page", "handbook"}
