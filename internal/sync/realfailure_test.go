// SPDX-License-Identifier: Apache-2.0

package sync_test

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/plan"
)

// clusterWide has another program make an object that lives in no namespace, and takes it away in the end.
func (b *hookBench) clusterWide(resource, group, text string) {
	b.Helper()
	u := b.parse(text)
	u.SetNamespace("")
	client := b.other.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: resource})
	if _, err := client.Create(b.Context(), u, metav1.CreateOptions{}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := client.Delete(context.Background(), u.GetName(), metav1.DeleteOptions{}); err != nil {
			b.Errorf("clean up: %v", err)
		}
	})
}

// Each object that is refused says why and what to do; the rest of its wave is done, and nothing after it.
func TestRealPartialFailure(t *testing.T) {
	b := newHookBench(t)
	b.clusterWide("validatingadmissionpolicies", "admissionregistration.k8s.io", `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: NS}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]}
  validations: [{expression: "object.metadata.name != 'denied'", message: "names are chosen with care here"}]`)
	b.clusterWide("validatingadmissionpolicybindings", "admissionregistration.k8s.io", `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: NS}
spec: {policyName: NS, validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NS}}}}`)
	b.made(b.parse("{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: [{apiGroups: [''], resources: [configmaps], verbs: ['*']}]}"), "roles", "somebody")
	b.made(b.parse(`{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: r}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r},
		subjects: [{kind: ServiceAccount, name: deployer, namespace: NS}]}`), "rolebindings", "somebody")
	denied := b.configMap("denied")
	configMaps := b.other.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(b.ns)
	b.eventually("the policy is in force", func() bool {
		_, err := configMaps.Create(t.Context(), denied, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil && strings.Contains(err.Error(), "chosen with care")
	})
	user := "system:serviceaccount:" + b.ns + ":deployer"
	late := b.configMap("late")
	late.SetAnnotations(merge(late.GetAnnotations(), v1alpha1.AnnotationSyncWave, "1"))
	unknown := b.desired("{apiVersion: example.org/v1, kind: Unknown, metadata: {name: u, annotations: {argocd.argoproj.io/sync-options: SkipDryRunOnMissingResource=true}}}")
	p := b.plan(plan.Input{}, []*unstructured.Unstructured{denied, b.configMap("fine"), b.desired("{apiVersion: v1, kind: Secret, metadata: {name: s}}"), unknown, late})
	res := b.carryOut(cluster.As(t.Context(), user), "", p)
	b.require(res, v1alpha1.OperationFailed, "names are chosen with care here; change the manifest or the policy", "configmap/fine created",
		"grant this right to "+user, "install the CustomResourceDefinition")
	if !res.Retryable || b.live(late) != nil || len(res.Resources) != 4 {
		t.Errorf("retryable: %v, the next wave was begun: %v, %d entries", res.Retryable, b.live(late) != nil, len(res.Resources))
	}
}
