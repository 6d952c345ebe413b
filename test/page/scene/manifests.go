// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"cmp"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

func unmarshal(text string, into any) error { return yaml.Unmarshal([]byte(text), into) }

// fill replaces {name} by the value that follows it.
func fill(text string, pairs ...string) string {
	all := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		all = append(all, "{"+pairs[i]+"}", pairs[i+1])
	}
	return strings.NewReplacer(all...).Replace(text)
}

// workload is a Deployment with what belongs to it.
type workload struct {
	name, image string
	replicas    int
	// pods is how the simulated nodes let its pods behave, see devcluster/README.md; "" is that they run.
	pods string
	// deadline is how many seconds a rollout may take until it counts as failed.
	deadline int
}

func (w workload) deployment() string {
	behaviour := ""
	if w.pods != "" {
		behaviour = "\n      annotations: {devcluster.bowline.dev/pod: " + w.pods + "}"
	}
	return fill(deployment, "name", w.name, "image", w.image, "replicas", fmt.Sprint(max(w.replicas, 1)),
		"deadline", fmt.Sprint(cmp.Or(w.deadline, 600)), "behaviour", behaviour)
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels: {app.kubernetes.io/name: {name}}
spec:
  replicas: {replicas}
  progressDeadlineSeconds: {deadline}
  selector:
    matchLabels: {app.kubernetes.io/name: {name}}
  template:
    metadata:
      labels: {app.kubernetes.io/name: {name}}{behaviour}
    spec:
      serviceAccountName: {name}
      containers:
        - name: {name}
          image: registry.example.org/{image}
          ports: [{name: http, containerPort: 8080}]
          envFrom: [{configMapRef: {name: {name}}}]
          resources:
            requests: {cpu: 50m, memory: 64Mi}
            limits: {memory: 256Mi}
        - name: proxy
          image: registry.example.org/mesh/proxy:1.9.2
`

const around = `apiVersion: v1
kind: Service
metadata: {name: {name}}
spec:
  selector: {app.kubernetes.io/name: {name}}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: {name}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {name}}
data:
  LOG_LEVEL: info
  REGION: eu-west-1
  FEATURES: "{features}"
`

const ingress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: {name}, annotations: {link.argocd.argoproj.io/dashboard: "https://grafana.example.org/d/{name}"}}
spec:
  rules:
    - host: {host}
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: {name}, port: {name: http}}}}
`

const hookJob = `apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
  annotations:
    argocd.argoproj.io/hook: {hook}
    argocd.argoproj.io/hook-delete-policy: BeforeHookCreation
spec:
  backoffLimit: 0
  template:
    metadata:
      annotations: {devcluster.bowline.dev/pod: {pods}}
    spec:
      restartPolicy: Never
      containers: [{name: {name}, image: "registry.example.org/{image}", command: [/app/{name}]}]
`

const cronJob = `apiVersion: batch/v1
kind: CronJob
metadata: {name: {name}}
spec:
  schedule: "{schedule}"
  suspend: {suspend}
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers: [{name: {name}, image: "registry.example.org/{image}"}]
`

const statefulSet = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: {name}}
spec:
  serviceName: {name}
  replicas: {replicas}
  selector: {matchLabels: {app.kubernetes.io/name: {name}}}
  template:
    metadata: {labels: {app.kubernetes.io/name: {name}}}
    spec:
      containers: [{name: {name}, image: "registry.example.org/{image}"}]
`

const secret = `apiVersion: v1
kind: Secret
metadata: {name: {name}-credentials}
stringData: {username: {name}, password: not-a-real-one}
`

// joined puts documents into one file.
func joined(documents ...string) string { return strings.Join(documents, "---\n") }
