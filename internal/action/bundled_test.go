// SPDX-License-Identifier: Apache-2.0

package action

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// parse reads an object in YAML, whose kind and, if it says nothing else, name are not in the text.
func parse(t *testing.T, apiVersion, kind, body string) *unstructured.Unstructured {
	t.Helper()
	obj := map[string]any{}
	if err := yaml.Unmarshal([]byte(body), &obj); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	u := &unstructured.Unstructured{Object: whole(obj).(map[string]any)}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	if u.GetName() == "" {
		u.SetName("web")
	}
	u.SetNamespace("shop")
	u.SetUID("u-1")
	return u
}

// patched is one action on one object: want and status are the patches in YAML.
type patched struct {
	apiVersion, kind, action, before string
	params                           map[string]string
	want, status                     string
}

var patches = []patched{
	{"apps/v1", "Deployment", "restart", "spec: {replicas: 2}", nil, "spec: {template: {metadata: {annotations: {kubectl.kubernetes.io/restartedAt: '2026-03-04T05:06:07Z'}}}}", ""},
	{"apps/v1", "Deployment", "restart", "spec: {template: {metadata: {labels: {a: b}, annotations: {x: y, kubectl.kubernetes.io/restartedAt: before}}}}", nil, "spec: {template: {metadata: {annotations: {kubectl.kubernetes.io/restartedAt: '2026-03-04T05:06:07Z'}}}}", ""},
	{"apps/v1", "Deployment", "pause", "spec: {replicas: 1}", nil, "spec: {paused: true}", ""},
	{"apps/v1", "Deployment", "resume", "spec: {paused: true}", nil, "spec: {paused: null}", ""},
	{"apps/v1", "Deployment", "scale", "spec: {replicas: 1}", map[string]string{"replicas": "3"}, "spec: {replicas: 3}", ""},
	{"apps/v1", "StatefulSet", "scale", "spec: {}", map[string]string{"replicas": "0"}, "spec: {replicas: 0}", ""},
	{"apps/v1", "StatefulSet", "restart", "spec: {}", nil, "spec: {template: {metadata: {annotations: {kubectl.kubernetes.io/restartedAt: '2026-03-04T05:06:07Z'}}}}", ""},
	{"apps/v1", "DaemonSet", "restart", "spec: {}", nil, "spec: {template: {metadata: {annotations: {kubectl.kubernetes.io/restartedAt: '2026-03-04T05:06:07Z'}}}}", ""},
	{"batch/v1", "CronJob", "suspend", "spec: {suspend: false}", nil, "spec: {suspend: true}", ""},
	{"batch/v1", "CronJob", "resume", "spec: {suspend: true}", nil, "spec: {suspend: false}", ""},
	{"batch/v1", "Job", "suspend", "status: {conditions: [{type: Complete, status: 'False'}]}", nil, "spec: {suspend: true}", ""},
	{"batch/v1", "Job", "resume", "spec: {suspend: true}", nil, "spec: {suspend: false}", ""},
	{"batch/v1", "Job", "terminate", "spec: {}", nil, "spec: {activeDeadlineSeconds: 1}", ""},

	{"argoproj.io/v1alpha1", "Rollout", "restart", "spec: {}", nil, "spec: {restartAt: '2026-03-04T05:06:07Z'}", ""},
	{"argoproj.io/v1alpha1", "Rollout", "pause", "spec: {}", nil, "spec: {paused: true}", ""},
	{"argoproj.io/v1alpha1", "Rollout", "resume", "{spec: {paused: true}, status: {pauseConditions: [{reason: CanaryPauseStep}]}}", nil, "spec: {paused: false}", "status: {pauseConditions: null}"},
	{"argoproj.io/v1alpha1", "Rollout", "resume", "{spec: {}, status: {pauseConditions: [{reason: CanaryPauseStep}]}}", nil, "", "status: {pauseConditions: null}"},
	{"argoproj.io/v1alpha1", "Rollout", "abort", "status: {currentPodHash: b, stableRS: a}", nil, "", "status: {abort: true}"},
	{"argoproj.io/v1alpha1", "Rollout", "retry", "status: {abort: true}", nil, "", "status: {abort: null}"},
	{"argoproj.io/v1alpha1", "Rollout", "promote-full", "status: {currentPodHash: b, stableRS: a}", nil, "", "status: {promoteFull: true}"},
	{"argoproj.io/v1alpha1", "Rollout", "skip-current-step", "{spec: {strategy: {canary: {steps: [{setWeight: 5}, {pause: {}}]}}}, status: {currentPodHash: b, stableRS: a, currentStepIndex: 1, pauseConditions: [{reason: x}]}}", nil, "", "status: {currentStepIndex: 2, pauseConditions: null}"},
	{"argoproj.io/v1alpha1", "AnalysisRun", "terminate", "status: {phase: Running}", nil, "spec: {terminate: true}", ""},
	{"argoproj.io/v1alpha1", "Application", "toggle-auto-sync", "spec: {syncPolicy: {automated: {prune: true}}}", nil, "spec: {syncPolicy: {automated: {enabled: false}}}", ""},
	{"argoproj.io/v1alpha1", "Application", "toggle-auto-sync", "spec: {syncPolicy: {automated: {enabled: false}}}", nil, "spec: {syncPolicy: {automated: {enabled: true}}}", ""},
	{"argoproj.io/v1alpha1", "Application", "toggle-auto-sync", "spec: {project: x}", nil, "spec: {syncPolicy: {automated: {enabled: true}}}", ""},
	{"promoter.argoproj.io/v1alpha1", "PullRequest", "merge", "spec: {state: open}", nil, "spec: {state: merged}", ""},

	{"external-secrets.io/v1", "ExternalSecret", "refresh", "metadata: {annotations: {force-sync: '1'}}", nil, "metadata: {annotations: {force-sync: '1772600767'}}", ""},
	{"external-secrets.io/v1alpha1", "PushSecret", "push", "spec: {}", nil, "metadata: {annotations: {force-sync: '1772600767'}}", ""},
	{"keda.sh/v1alpha1", "ScaledObject", "pause", "spec: {}", nil, "metadata: {annotations: {autoscaling.keda.sh/paused: 'true'}}", ""},
	{"keda.sh/v1alpha1", "ScaledObject", "paused-replicas", "spec: {}", map[string]string{"replicas": "4"}, "metadata: {annotations: {autoscaling.keda.sh/paused-replicas: '4'}}", ""},
	{"keda.sh/v1alpha1", "ScaledObject", "resume", "metadata: {annotations: {autoscaling.keda.sh/paused-replicas: '0', autoscaling.keda.sh/paused: 'true', keep: me}}", nil, "metadata: {annotations: {autoscaling.keda.sh/paused-replicas: null, autoscaling.keda.sh/paused: null}}", ""},
	{"keda.sh/v1alpha1", "ScaledJob", "pause", "spec: {}", nil, "metadata: {annotations: {autoscaling.keda.sh/paused: 'true'}}", ""},
	{"keda.sh/v1alpha1", "ScaledJob", "resume", "metadata: {annotations: {autoscaling.keda.sh/paused: 'true', keep: me}}", nil, "metadata: {annotations: {autoscaling.keda.sh/paused: null}}", ""},
	{"postgresql.cnpg.io/v1", "Cluster", "restart", "spec: {}", nil, "metadata: {annotations: {kubectl.kubernetes.io/restartedAt: '2026-03-04T05:06:07Z'}}", ""},
	{"postgresql.cnpg.io/v1", "Cluster", "reload", "spec: {}", nil, "metadata: {annotations: {cnpg.io/reloadedAt: '2026-03-04T05:06:07.000000Z'}}", ""},
	{"postgresql.cnpg.io/v1", "Cluster", "suspend", "spec: {}", nil, "metadata: {annotations: {cnpg.io/reconciliationLoop: disabled}}", ""},
	{"postgresql.cnpg.io/v1", "Cluster", "resume", "metadata: {annotations: {cnpg.io/reconciliationLoop: disabled, keep: me}}", nil, "metadata: {annotations: {cnpg.io/reconciliationLoop: null}}", ""},
	{"postgresql.cnpg.io/v1", "Cluster", "hibernate", "spec: {}", nil, "metadata: {annotations: {cnpg.io/hibernation: 'on'}}", ""},
	{"postgresql.cnpg.io/v1", "Cluster", "rehydrate", "metadata: {annotations: {cnpg.io/hibernation: 'on'}}", nil, "metadata: {annotations: {cnpg.io/hibernation: 'off'}}", ""},
	{"postgresql.cnpg.io/v1", "Cluster", "promote", "status: {currentPrimary: web-1, phase: Cluster in healthy state, instancesStatus: {healthy: [web-3, web-1, web-2]}}", nil, "",
		"status: {targetPrimary: web-2, targetPrimaryTimestamp: '2026-03-04T05:06:07.000000Z', phase: Switchover in progress, phaseReason: Switching over to web-2}"},
	{"postgresql.cnpg.io/v1", "Cluster", "promote", "status: {currentPrimary: web-1, instancesStatus: {healthy: [web-3, web-1, web-2]}}", map[string]string{"instance": "3"}, "",
		"status: {targetPrimary: web-3, targetPrimaryTimestamp: '2026-03-04T05:06:07.000000Z', phase: Switchover in progress, phaseReason: Switching over to web-3}"},
	{"core.strimzi.io/v1beta2", "StrimziPodSet", "rolling-update", "spec: {}", nil, "metadata: {annotations: {strimzi.io/manual-rolling-update: 'true'}}", ""},

	{"numaflow.numaproj.io/v1alpha1", "Pipeline", "pause", "spec: {lifecycle: {desiredPhase: Running}}", nil, "spec: {lifecycle: {desiredPhase: Paused}}", ""},
	{"numaflow.numaproj.io/v1alpha1", "Pipeline", "unpause", "spec: {lifecycle: {desiredPhase: Paused}}", nil, "spec: {lifecycle: {desiredPhase: Running}}", ""},
	{"numaflow.numaproj.io/v1alpha1", "Pipeline", "force-promote", "metadata: {labels: {numaplane.numaproj.io/upgrade-state: trial}}", nil, "metadata: {labels: {numaplane.numaproj.io/force-promote: 'true'}}", ""},
	{"numaflow.numaproj.io/v1alpha1", "MonoVertex", "pause", "spec: {}", nil, "spec: {lifecycle: {desiredPhase: Paused}}", ""},
	{"numaflow.numaproj.io/v1alpha1", "MonoVertex", "unpause", "spec: {lifecycle: {desiredPhase: Paused}}", nil, "spec: {lifecycle: {desiredPhase: Running}}", ""},
	{"numaflow.numaproj.io/v1alpha1", "MonoVertex", "force-promote", "metadata: {labels: {numaplane.numaproj.io/upgrade-state: in-progress}}", nil, "metadata: {labels: {numaplane.numaproj.io/force-promote: 'true'}}", ""},
	{"numaflow.numaproj.io/v1alpha1", "InterStepBufferService", "force-promote", "metadata: {labels: {numaplane.numaproj.io/upgrade-state: in-progress}}", nil, "metadata: {labels: {numaplane.numaproj.io/force-promote: 'true'}}", ""},
	{"numaplane.numaproj.io/v1alpha1", "PipelineRollout", "pause", "spec: {}", nil, "spec: {pipeline: {spec: {lifecycle: {desiredPhase: Paused}}}}", ""},
	{"numaplane.numaproj.io/v1alpha1", "PipelineRollout", "unpause", "spec: {pipeline: {spec: {lifecycle: {desiredPhase: Paused}}}}", nil, "spec: {pipeline: {spec: {lifecycle: {desiredPhase: Running}}}}", ""},
	{"numaplane.numaproj.io/v1alpha1", "PipelineRollout", "allow-data-loss", "spec: {}", nil, "metadata: {annotations: {numaplane.numaproj.io/allow-data-loss: 'true'}}", ""},
	{"numaplane.numaproj.io/v1alpha1", "PipelineRollout", "disallow-data-loss", "metadata: {annotations: {numaplane.numaproj.io/allow-data-loss: 'true', keep: me}}", nil, "metadata: {annotations: {numaplane.numaproj.io/allow-data-loss: null}}", ""},
	{"numaplane.numaproj.io/v1alpha1", "PipelineRollout", "enable-force-promote", "spec: {}", nil, "spec: {strategy: {progressive: {forcePromote: true}}}", ""},
	{"numaplane.numaproj.io/v1alpha1", "PipelineRollout", "disable-force-promote", "spec: {strategy: {progressive: {forcePromote: true}}}", nil, "spec: {strategy: {progressive: {forcePromote: false}}}", ""},
	{"numaplane.numaproj.io/v1alpha1", "MonoVertexRollout", "pause", "spec: {}", nil, "spec: {monoVertex: {spec: {lifecycle: {desiredPhase: Paused}}}}", ""},
	{"numaplane.numaproj.io/v1alpha1", "MonoVertexRollout", "unpause", "spec: {monoVertex: {spec: {lifecycle: {desiredPhase: Paused}}}}", nil, "spec: {monoVertex: {spec: {lifecycle: {desiredPhase: Running}}}}", ""},
	{"numaplane.numaproj.io/v1alpha1", "MonoVertexRollout", "enable-force-promote", "spec: {}", nil, "spec: {strategy: {progressive: {forcePromote: true}}}", ""},
	{"numaplane.numaproj.io/v1alpha1", "MonoVertexRollout", "disable-force-promote", "spec: {strategy: {progressive: {forcePromote: true}}}", nil, "spec: {strategy: {progressive: {forcePromote: false}}}", ""},
	{"numaplane.numaproj.io/v1alpha1", "ISBServiceRollout", "enable-force-promote", "spec: {}", nil, "spec: {strategy: {progressive: {forcePromote: true}}}", ""},
	{"numaplane.numaproj.io/v1alpha1", "ISBServiceRollout", "disable-force-promote", "spec: {strategy: {progressive: {forcePromote: true}}}", nil, "spec: {strategy: {progressive: {forcePromote: false}}}", ""},
}

// fluxPatches are the same for each of Flux's kinds.
func fluxPatches() []patched {
	var out []patched
	for gk := range flux() {
		apiVersion := gk.Group + "/v1"
		out = append(out,
			patched{apiVersion, gk.Kind, "suspend", "spec: {interval: 1m}", nil, "spec: {suspend: true}", ""},
			patched{apiVersion, gk.Kind, "resume", "spec: {suspend: true}", nil, "spec: {suspend: false}", ""})
		if gk.Kind != "Alert" && gk.Kind != "Provider" {
			out = append(out, patched{apiVersion, gk.Kind, "reconcile", "spec: {suspend: false}", nil, "metadata: {annotations: {reconcile.fluxcd.io/requestedAt: '2026-03-04T05:06:07Z'}}", ""})
		}
	}
	return out
}

// created are the actions that make objects: the whole object in YAML.
var created = []struct{ apiVersion, kind, action, before, want string }{
	{"batch/v1", "CronJob", "create-job", "spec: {schedule: '* * * * *', jobTemplate: {metadata: {labels: {a: b}, annotations: {c: d}}, spec: {template: {spec: {containers: [{name: x}]}}}}}", `
apiVersion: batch/v1
kind: Job
metadata:
  name: web-20260304050607
  namespace: shop
  labels: {a: b}
  annotations: {c: d, cronjob.kubernetes.io/instantiate: manual}
  ownerReferences: [{apiVersion: batch/v1, kind: CronJob, name: web, uid: u-1, controller: true, blockOwnerDeletion: true}]
spec: {template: {spec: {containers: [{name: x}]}}}
`},
	{"argoproj.io/v1alpha1", "CronWorkflow", "create-workflow", "spec: {schedule: '* * * * *', workflowMetadata: {labels: {a: b}}, workflowSpec: {entrypoint: main}}", `
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: web-20260304050607
  namespace: shop
  labels: {a: b, workflows.argoproj.io/cron-workflow: web}
  annotations: {workflows.argoproj.io/scheduled-time: '2026-03-04T05:06:07Z'}
  ownerReferences: [{apiVersion: argoproj.io/v1alpha1, kind: CronWorkflow, name: web, uid: u-1}]
spec: {entrypoint: main}
`},
	{"argoproj.io/v1alpha1", "WorkflowTemplate", "create-workflow", "spec: {entrypoint: main, workflowMetadata: {annotations: {a: b}}}", `
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: web-20260304050607
  namespace: shop
  labels: {workflows.argoproj.io/workflow-template: web}
  annotations: {a: b}
  ownerReferences: [{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, name: web, uid: u-1}]
spec: {workflowTemplateRef: {name: web}}
`},
	{"postgresql.cnpg.io/v1", "ScheduledBackup", "create-backup", "spec: {schedule: '0 0 0 * * *', cluster: {name: db}, method: plugin, pluginConfiguration: {name: x}}", `
apiVersion: postgresql.cnpg.io/v1
kind: Backup
metadata:
  name: web-20260304050607
  namespace: shop
  labels: {cnpg.io/scheduled-backup: web}
  ownerReferences: [{apiVersion: postgresql.cnpg.io/v1, kind: ScheduledBackup, name: web, uid: u-1}]
spec: {cluster: {name: db}, method: plugin, pluginConfiguration: {name: x}}
`},
}

func TestBundledActionsPatchTheirObject(t *testing.T) {
	for _, tt := range append(fluxPatches(), patches...) {
		t.Run(tt.kind+"/"+tt.action, func(t *testing.T) {
			obj := parse(t, tt.apiVersion, tt.kind, tt.before)
			before := obj.DeepCopy()
			impacts, err := (*Catalog)(nil).Run(tt.action, obj, tt.params, now)
			if err != nil {
				t.Fatal(err)
			}
			if len(impacts) != 1 || impacts[0].Operation != Patch {
				t.Fatalf("impacts: %+v", impacts)
			}
			if diff := cmp.Diff(yamlMap(t, tt.want), impacts[0].Patch); diff != "" {
				t.Errorf("patch: %s", diff)
			}
			if diff := cmp.Diff(yamlMap(t, tt.status), impacts[0].StatusPatch); diff != "" {
				t.Errorf("patch of status: %s", diff)
			}
			if diff := cmp.Diff(before, obj); diff != "" {
				t.Errorf("the object that was passed changed: %s", diff)
			}
		})
	}
}

func TestBundledActionsCreateObjects(t *testing.T) {
	for _, tt := range created {
		t.Run(tt.kind+"/"+tt.action, func(t *testing.T) {
			impacts, err := (*Catalog)(nil).Run(tt.action, parse(t, tt.apiVersion, tt.kind, tt.before), nil, now)
			if err != nil {
				t.Fatal(err)
			}
			if len(impacts) != 1 || impacts[0].Operation != Create {
				t.Fatalf("impacts: %+v", impacts)
			}
			if diff := cmp.Diff(yamlMap(t, tt.want), impacts[0].Object.Object); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEachBundledActionHasACase(t *testing.T) {
	covered := map[string]bool{}
	for _, p := range append(fluxPatches(), patches...) {
		covered[parse(t, p.apiVersion, p.kind, "{}").GroupVersionKind().Group+"/"+p.kind+"/"+p.action] = true
	}
	for _, c := range created {
		covered[parse(t, c.apiVersion, c.kind, "{}").GroupVersionKind().Group+"/"+c.kind+"/"+c.action] = true
	}
	for gk, rules := range bundled {
		for _, r := range rules {
			if name := gk.Group + "/" + gk.Kind + "/" + r.Name; !covered[name] {
				t.Errorf("%s has no case", name)
			}
		}
	}
}

func TestBundledActionsAreDisabledWhereTheyAreOfNoUse(t *testing.T) {
	tests := []struct {
		apiVersion, kind, object string
		enabled                  []string
	}{
		{"apps/v1", "Deployment", "spec: {paused: true}", []string{"restart", "resume", "scale"}},
		{"apps/v1", "Deployment", "spec: {}", []string{"pause", "restart", "scale"}},
		{"batch/v1", "Job", "{spec: {suspend: true}, status: {conditions: [{type: Complete, status: 'True'}]}}", nil},
		{"argoproj.io/v1alpha1", "Rollout", "{spec: {strategy: {canary: {steps: [{setWeight: 5}]}}}, status: {currentPodHash: a, stableRS: a, currentStepIndex: 1}}", []string{"pause", "restart"}},
		{"argoproj.io/v1alpha1", "Rollout", "{spec: {strategy: {canary: {steps: [{setWeight: 5}]}}}, status: {currentPodHash: b, stableRS: a, abort: true}}", []string{"pause", "promote-full", "restart", "retry", "skip-current-step"}},
		{"argoproj.io/v1alpha1", "AnalysisRun", "status: {phase: Successful}", nil},
		{"promoter.argoproj.io/v1alpha1", "PullRequest", "spec: {state: merged}", nil},
		{"kustomize.toolkit.fluxcd.io/v1", "Kustomization", "spec: {suspend: true}", []string{"resume"}},
		{"keda.sh/v1alpha1", "ScaledObject", "spec: {}", []string{"pause", "paused-replicas"}},
		{"postgresql.cnpg.io/v1", "Cluster", "status: {currentPrimary: web-1, instancesStatus: {healthy: [web-1]}}", []string{"hibernate", "reload", "restart", "suspend"}},
		{"numaflow.numaproj.io/v1alpha1", "InterStepBufferService", "spec: {}", nil},
		{"v1", "ConfigMap", "data: {}", nil},
	}
	for _, tt := range tests {
		obj := parse(t, tt.apiVersion, tt.kind, tt.object)
		found, err := (*Catalog)(nil).Discover(obj)
		if err != nil {
			t.Fatal(err)
		}
		var enabled []string
		for _, a := range found {
			if !a.Disabled {
				enabled = append(enabled, a.Name)
			} else if _, err := (*Catalog)(nil).Run(a.Name, obj, nil, now); err == nil {
				t.Errorf("%s of %s is disabled and runs", a.Name, tt.kind)
			}
		}
		if diff := cmp.Diff(tt.enabled, enabled); diff != "" {
			t.Errorf("%s %s: %s", tt.kind, tt.object, diff)
		}
	}
}

func TestParametersAreChecked(t *testing.T) {
	obj := parse(t, "apps/v1", "Deployment", "spec: {replicas: 2}")
	found, _ := (*Catalog)(nil).Discover(obj)
	for _, a := range found {
		if a.Name == "scale" && (len(a.Params) != 1 || a.Params[0] != Param{Name: "replicas", Type: "number", Default: "2"}) {
			t.Errorf("parameters of scale: %+v", a.Params)
		}
	}
	for _, params := range []map[string]string{nil, {"replicas": "-1"}, {"replicas": "three"}, {"replicas": "99999999999"}, {"replica": "3", "replicas": "3"}} {
		if impacts, err := (*Catalog)(nil).Run("scale", obj, params, now); err == nil {
			t.Errorf("%v gave %+v", params, impacts)
		}
	}
}

func TestLongNamesLeaveRoomForTheTime(t *testing.T) {
	obj := parse(t, "batch/v1", "CronJob", "{metadata: {name: a-cron-job-with-a-name-of-exactly-fifty-two-characters}, spec: {jobTemplate: {spec: {}}}}")
	impacts, err := (*Catalog)(nil).Run("create-job", obj, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	if name := impacts[0].Object.GetName(); len(name) != 63 {
		t.Errorf("%s has %d characters", name, len(name))
	}
}

func yamlMap(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return whole(out).(map[string]any)
}

// whole makes whole numbers int64, as decoded objects have them.
func whole(value any) any {
	switch v := value.(type) {
	case map[string]any:
		if v == nil {
			return v
		}
		for key := range v {
			v[key] = whole(v[key])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return value
}
