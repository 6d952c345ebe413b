// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

func gk(group, kind string) schema.GroupKind { return schema.GroupKind{Group: group, Kind: kind} }

// made are the kinds that the objects of a kind bring about, by the documentation of their controllers. A sweep of the
// cluster finds others, but only once the first of them is there.
var made = map[schema.GroupKind][]schema.GroupKind{
	gk("apps", "Deployment"):                   {gk("apps", "ReplicaSet")},
	gk("apps", "ReplicaSet"):                   {gk("", "Pod")},
	gk("", "ReplicationController"):            {gk("", "Pod")},
	gk("apps", "StatefulSet"):                  {gk("", "Pod"), gk("apps", "ControllerRevision"), gk("", "PersistentVolumeClaim")},
	gk("apps", "DaemonSet"):                    {gk("", "Pod"), gk("apps", "ControllerRevision")},
	gk("batch", "Job"):                         {gk("", "Pod")},
	gk("batch", "CronJob"):                     {gk("batch", "Job")},
	gk("", "Service"):                          {gk("", "Endpoints"), gk("discovery.k8s.io", "EndpointSlice")},
	gk("", "ServiceAccount"):                   {gk("", "Secret")},
	gk("operators.coreos.com", "Subscription"): {gk("operators.coreos.com", "InstallPlan")},
	gk("operators.coreos.com", "OperatorGroup"): {
		gk("operators.coreos.com", "ClusterServiceVersion"),
	},
	gk("operators.coreos.com", "ClusterServiceVersion"): {gk("apps", "Deployment")},

	gk("argoproj.io", "Rollout"):      {gk("apps", "ReplicaSet"), gk("argoproj.io", "AnalysisRun"), gk("argoproj.io", "Experiment")},
	gk("argoproj.io", "Experiment"):   {gk("apps", "ReplicaSet"), gk("argoproj.io", "AnalysisRun")},
	gk("argoproj.io", "AnalysisRun"):  {gk("batch", "Job")},
	gk("argoproj.io", "CronWorkflow"): {gk("argoproj.io", "Workflow")},
	gk("argoproj.io", "Workflow"):     {gk("", "Pod")},

	gk("argoproj.io", "ApplicationSet"): {gk("argoproj.io", "Application")},

	gk("cert-manager.io", "Certificate"):        {gk("cert-manager.io", "CertificateRequest"), gk("", "Secret")},
	gk("cert-manager.io", "CertificateRequest"): {gk("acme.cert-manager.io", "Order")},
	gk("acme.cert-manager.io", "Order"):         {gk("acme.cert-manager.io", "Challenge")},
	gk("acme.cert-manager.io", "Challenge"):     {gk("", "Pod"), gk("", "Service"), gk("networking.k8s.io", "Ingress")},
	gk("networking.k8s.io", "Ingress"):          {gk("cert-manager.io", "Certificate")},
	gk("external-secrets.io", "ExternalSecret"): {gk("", "Secret")},
	gk("bitnami.com", "SealedSecret"):           {gk("", "Secret")},
	gk("keda.sh", "ScaledObject"):               {gk("autoscaling", "HorizontalPodAutoscaler")},
	gk("keda.sh", "ScaledJob"):                  {gk("batch", "Job")},
	gk("flagger.app", "Canary"):                 {gk("apps", "Deployment"), gk("", "Service")},
	gk("serving.knative.dev", "Service"):        {gk("serving.knative.dev", "Configuration"), gk("serving.knative.dev", "Route")},
	gk("serving.knative.dev", "Configuration"):  {gk("serving.knative.dev", "Revision")},
	gk("serving.knative.dev", "Revision"):       {gk("apps", "Deployment")},
	gk("serving.knative.dev", "Route"):          {gk("", "Service")},
	gk("monitoring.coreos.com", "Prometheus"):   {gk("apps", "StatefulSet"), gk("", "Secret"), gk("", "ConfigMap")},
	gk("monitoring.coreos.com", "Alertmanager"): {gk("apps", "StatefulSet"), gk("", "Secret")},
	gk("postgresql.cnpg.io", "Cluster"):         {gk("", "Pod"), gk("", "PersistentVolumeClaim"), gk("", "Service"), gk("", "Secret")},
	gk("kafka.strimzi.io", "Kafka"):             {gk("core.strimzi.io", "StrimziPodSet"), gk("", "Service"), gk("", "Secret")},
	gk("core.strimzi.io", "StrimziPodSet"):      {gk("", "Pod")},
	gk("cluster.x-k8s.io", "MachineDeployment"): {gk("cluster.x-k8s.io", "MachineSet")},
	gk("cluster.x-k8s.io", "MachineSet"):        {gk("cluster.x-k8s.io", "Machine")},
	gk("karpenter.sh", "NodePool"):              {gk("karpenter.sh", "NodeClaim")},
}

// MadeOf returns the kinds that are known to descend from objects of a kind.
func MadeOf(parent schema.GroupKind) []schema.GroupKind { return slices.Clone(made[parent]) }

// shown are the kinds of Kubernetes itself of which a node shows more than its identity.
var shown = map[schema.GroupKind]bool{
	gk("", "Pod"): true, gk("", "Node"): true, gk("", "Service"): true, gk("", "PersistentVolumeClaim"): true,
	gk("", "ReplicationController"): true,
	gk("apps", "Deployment"):        true, gk("apps", "ReplicaSet"): true, gk("apps", "StatefulSet"): true, gk("apps", "DaemonSet"): true,
	gk("apps", "ControllerRevision"): true,
	gk("batch", "Job"):               true, gk("batch", "CronJob"): true,
	gk("autoscaling", "HorizontalPodAutoscaler"):           true,
	gk("networking.k8s.io", "Ingress"):                     true,
	gk("extensions", "Ingress"):                            true,
	gk("policy", "PodDisruptionBudget"):                    true,
	gk("apiregistration.k8s.io", "APIService"):             true,
	gk("apiextensions.k8s.io", "CustomResourceDefinition"): true,
}

// builtIn are the groups that the API server itself serves.
var builtIn = []string{
	"", "apps", "batch", "autoscaling", "policy", "extensions", "networking.k8s.io", "apiregistration.k8s.io", "apiextensions.k8s.io",
	"admissionregistration.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io",
	"discovery.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "node.k8s.io",
	"rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
}

// Shows reports whether a node of the kind shows more than the identity of its object, so that the whole object has to
// be read: kinds with a health of their own, and every custom resource. Of Secrets nothing but metadata is ever read for
// the sake of a tree.
func Shows(kind schema.GroupKind) bool {
	if slices.Contains(builtIn, kind.Group) {
		return shown[kind]
	}
	return strings.Contains(kind.Group, ".")
}
