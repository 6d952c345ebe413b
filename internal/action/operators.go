// SPDX-License-Identifier: Apache-2.0

package action

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// operators are the actions of kinds of single operators.
func operators() map[schema.GroupKind][]rule {
	const paused = "autoscaling.keda.sh/paused"
	return map[schema.GroupKind][]rule{
		// External Secrets looks anew at an object whose annotations changed.
		kind("external-secrets.io", "ExternalSecret"): {{Action: named("refresh", "Refresh", "sync"), change: forceSync}},
		kind("external-secrets.io", "PushSecret"):     {{Action: named("push", "Push", "upload"), change: forceSync}},

		kind("keda.sh", "ScaledObject"): {
			{Action: named("pause", "Pause", "pause-circle"), unless: marked(paused, "true"), change: mark(paused, "true")},
			pausedReplicas(),
			{
				Action: named("resume", "Resume", "play-circle"), unless: not(either(marked(paused, "true"), hasPausedReplicas)),
				change: steps(unmark(paused), unmark(pausedReplicasMark)),
			},
		},
		kind("keda.sh", "ScaledJob"): {
			{Action: named("pause", "Pause", "pause-circle"), unless: marked(paused, "true"), change: mark(paused, "true")},
			{Action: named("resume", "Resume", "play-circle"), unless: not(marked(paused, "true")), change: unmark(paused)},
		},
		kind("postgresql.cnpg.io", "Cluster"): postgres(),
		kind("postgresql.cnpg.io", "ScheduledBackup"): {
			{Action: named("create-backup", "Create Backup", "plus"), create: backupOf},
		},
		kind("core.strimzi.io", "StrimziPodSet"): {{
			Action: named("rolling-update", "Rolling Update", "redo"), unless: marked("strimzi.io/manual-rolling-update", "true"),
			change: mark("strimzi.io/manual-rolling-update", "true"),
		}},
	}
}

func forceSync(in input) error {
	return mark("force-sync", strconv.FormatInt(in.now.Unix(), 10))(in)
}

const pausedReplicasMark = "autoscaling.keda.sh/paused-replicas"

func hasPausedReplicas(obj *unstructured.Unstructured) bool {
	_, ok := obj.GetAnnotations()[pausedReplicasMark]
	return ok
}

// pausedReplicas holds a workload at a number of replicas.
func pausedReplicas() rule {
	a := named("paused-replicas", "Pause at Replicas", "pause-circle")
	a.Params = []Param{{Name: "replicas", Type: "number"}}
	return rule{Action: a, change: func(in input) error {
		n, err := in.replicas()
		if err != nil {
			return err
		}
		return mark(pausedReplicasMark, strconv.FormatInt(n, 10))(in)
	}}
}

// postgres are the actions that CloudNativePG's kubectl plugin has.
func postgres() []rule {
	const loop, hibernation = "cnpg.io/reconciliationLoop", "cnpg.io/hibernation"
	promote := named("promote", "Promote", "crown")
	promote.Params = []Param{{Name: "instance", Type: "string"}}
	return []rule{
		{Action: named("restart", "Restart", "redo"), change: stamp(rfc3339, "metadata", "annotations", "kubectl.kubernetes.io/restartedAt")},
		{Action: named("reload", "Reload", "sync"), change: stamp("2006-01-02T15:04:05.000000Z07:00", "metadata", "annotations", "cnpg.io/reloadedAt")},
		{
			Action: promote, unless: func(obj *unstructured.Unstructured) bool { return len(standbys(obj)) == 0 }, change: promoteStandby,
			defaults: map[string]func(*unstructured.Unstructured) string{"instance": func(obj *unstructured.Unstructured) string {
				if names := standbys(obj); len(names) > 0 {
					return names[0]
				}
				return ""
			}},
		},
		{Action: named("suspend", "Suspend Reconciliation", "pause-circle"), unless: marked(loop, "disabled"), change: mark(loop, "disabled")},
		{Action: named("resume", "Resume Reconciliation", "play-circle"), unless: not(marked(loop, "disabled")), change: unmark(loop)},
		{Action: named("hibernate", "Hibernate", "moon"), unless: marked(hibernation, "on"), change: mark(hibernation, "on")},
		{Action: named("rehydrate", "Rehydrate", "sun"), unless: not(marked(hibernation, "on")), change: mark(hibernation, "off")},
	}
}

// standbys are the healthy instances that are not the primary.
func standbys(obj *unstructured.Unstructured) []string {
	healthy, _, _ := unstructured.NestedStringSlice(obj.Object, "status", "instancesStatus", "healthy")
	primary := textAt(obj, "status", "currentPrimary")
	names := slices.DeleteFunc(healthy, func(name string) bool { return name == primary })
	slices.Sort(names)
	return names
}

// promoteStandby asks for a switchover to an instance: its name, its number, or by default the first healthy standby.
func promoteStandby(in input) error {
	candidates := standbys(in.obj)
	if len(candidates) == 0 {
		return errors.New("it has no healthy standby")
	}
	instance := in.params["instance"]
	switch _, err := strconv.Atoi(instance); {
	case instance == "", instance == "any":
		instance = candidates[0]
	case err == nil:
		instance = in.obj.GetName() + "-" + instance
	}
	if !slices.Contains(candidates, instance) {
		return fmt.Errorf("%q is no healthy standby: there are %v", instance, candidates)
	}
	return steps(
		set(instance, "status", "targetPrimary"),
		stamp("2006-01-02T15:04:05.000000Z07:00", "status", "targetPrimaryTimestamp"),
		set("Switchover in progress", "status", "phase"),
		set("Switching over to "+instance, "status", "phaseReason"),
	)(in)
}

// backupOf makes the Backup that a ScheduledBackup would make at its next time.
func backupOf(in input) (*unstructured.Unstructured, error) {
	spec := map[string]any{}
	for _, field := range []string{"cluster", "target", "method", "online", "onlineConfiguration", "pluginConfiguration"} {
		if value, ok, _ := unstructured.NestedFieldCopy(in.obj.Object, "spec", field); ok {
			spec[field] = value
		}
	}
	if spec["cluster"] == nil {
		return nil, errors.New("it has no spec.cluster")
	}
	backup := in.child(in.obj.GetAPIVersion(), "Backup", false)
	backup.Object["spec"] = spec
	backup.SetLabels(map[string]string{"cnpg.io/scheduled-backup": in.obj.GetName()})
	return backup, nil
}
