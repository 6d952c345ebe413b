// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Names of well-known objects.
const (
	// DefaultNamespace is the control namespace unless another is given.
	DefaultNamespace = "argocd"
	// DefaultAppProjectName is the project of an Application that names none.
	DefaultAppProjectName = "default"
	// RevisionHistoryLimitDefault is the length of status.history when the spec does not say.
	RevisionHistoryLimitDefault = 10
	// KubernetesInternalAPIServerAddr is the URL that means the cluster Bowline itself lives in.
	KubernetesInternalAPIServerAddr = "https://kubernetes.default.svc"
	// InClusterName is the name of the cluster Bowline itself lives in.
	InClusterName = "in-cluster"

	// ConfigMapName, and the other names, are where the settings live in the control namespace.
	ConfigMapName              = "argocd-cm"
	RBACConfigMapName          = "argocd-rbac-cm"
	CommandParamsConfigMapName = "argocd-cmd-params-cm"
	KnownHostsConfigMapName    = "argocd-ssh-known-hosts-cm"
	TLSCertsConfigMapName      = "argocd-tls-certs-cm"
	GPGKeysConfigMapName       = "argocd-gpg-keys-cm"
	SecretName                 = "argocd-secret"
	ServerTLSSecretName        = "argocd-server-tls"
)

// Finalizers of an Application (the first also of an AppProject). They say what happens to its objects when it is
// deleted; without any its objects stay.
const (
	// ResourcesFinalizerName deletes the objects and waits until they are gone. The Foreground form means the same.
	ResourcesFinalizerName         = "resources-finalizer.argocd.argoproj.io"
	ForegroundPropagationFinalizer = ResourcesFinalizerName + "/foreground"
	BackgroundPropagationFinalizer = ResourcesFinalizerName + "/background"
	PreDeleteFinalizerName         = "pre-delete-finalizer.argocd.argoproj.io"
	PreDeleteFinalizerCleanupName  = PreDeleteFinalizerName + "/cleanup"
	PostDeleteFinalizerName        = "post-delete-finalizer.argocd.argoproj.io"
	PostDeleteFinalizerCleanupName = PostDeleteFinalizerName + "/cleanup"
	HookFinalizer                  = "argocd.argoproj.io/hook-finalizer"
)

// Annotations on Applications.
const (
	// AnnotationKeyRefresh asks for a comparison now: RefreshTypeNormal or RefreshTypeHard. The timestamp beside it
	// (RFC3339Nano) keeps a later request from being swallowed by the removal of an earlier one.
	AnnotationKeyRefresh          = "argocd.argoproj.io/refresh"
	AnnotationKeyRefreshTimestamp = "argocd.argoproj.io/refresh-timestamp"
	// AnnotationKeyHydrate asks for the dry source to be rendered now.
	AnnotationKeyHydrate          = "argocd.argoproj.io/hydrate"
	AnnotationKeyHydrateTimestamp = "argocd.argoproj.io/hydrate-timestamp"
	// AnnotationKeyManifestGeneratePaths lists paths, separated by ;, outside of which a commit does not concern the application.
	AnnotationKeyManifestGeneratePaths = "argocd.argoproj.io/manifest-generate-paths"
	// AnnotationKeyAppSkipReconcile "true" stops all work on the application, or on the cluster of a cluster Secret.
	AnnotationKeyAppSkipReconcile = "argocd.argoproj.io/skip-reconcile"
	// AnnotationDeletionApproved confirms a deletion that waits; its value is the time of the approval.
	AnnotationDeletionApproved = "argocd.argoproj.io/deletion-approved"
	// AnnotationKeyManagedByURL is the address of the instance that manages the application.
	AnnotationKeyManagedByURL = "argocd.argoproj.io/managed-by-url"
	// AnnotationClientSideApplyMigrationManager is a field manager whose fields are taken over.
	AnnotationClientSideApplyMigrationManager = "argocd.argoproj.io/client-side-apply-migration-manager"

	// AnnotationKeyLinkPrefix begins annotations that add a link: "url" or "title|url".
	AnnotationKeyLinkPrefix         = "link.argocd.argoproj.io/"
	AnnotationKeyIgnoreDefaultLinks = "argocd.argoproj.io/ignore-default-links"
	AnnotationKeyPrefDefaultView    = "pref.argocd.argoproj.io/default-view"
	AnnotationKeyPrefDefaultPodSort = "pref.argocd.argoproj.io/default-pod-sort"
	AnnotationKeyNoticeContent      = "notice.argocd.argoproj.io/content"
	AnnotationKeyNoticeSeverity     = "notice.argocd.argoproj.io/severity"
	AnnotationKeyNoticeURL          = "notice.argocd.argoproj.io/url"
	AnnotationKeyNoticePermanent    = "notice.argocd.argoproj.io/permanent"
	AnnotationKeyNoticeIcon         = "notice.argocd.argoproj.io/icon"
	AnnotationKeyNoticeScope        = "notice.argocd.argoproj.io/scope"
)

// RefreshType is a value of AnnotationKeyRefresh.
type RefreshType string

// The refresh types. A hard refresh also forgets what was rendered.
const (
	RefreshTypeNormal RefreshType = "normal"
	RefreshTypeHard   RefreshType = "hard"
)

// Annotations on ApplicationSets, and those that outlive the template of one.
const (
	// AnnotationApplicationSetRefresh "true" asks for the generators to be run now.
	AnnotationApplicationSetRefresh = "argocd.argoproj.io/application-set-refresh"
	// AnnotationNotifiedState is where notifications remember what was sent.
	AnnotationNotifiedState = "notified.notifications.argoproj.io"
)

// Annotations on the objects that an Application manages.
const (
	// AnnotationKeyAppInstance holds the tracking id: <instance>:<group>/<Kind>:<namespace>/<name>.
	AnnotationKeyAppInstance        = "argocd.argoproj.io/tracking-id"
	AnnotationInstallationID        = "argocd.argoproj.io/installation-id"
	AnnotationSyncOptions           = "argocd.argoproj.io/sync-options"
	AnnotationSyncWave              = "argocd.argoproj.io/sync-wave"
	AnnotationKeyHook               = "argocd.argoproj.io/hook"
	AnnotationKeyHookDeletePolicy   = "argocd.argoproj.io/hook-delete-policy"
	AnnotationCompareOptions        = "argocd.argoproj.io/compare-options"
	AnnotationIgnoreHealthCheck     = "argocd.argoproj.io/ignore-healthcheck"
	AnnotationIgnoreRestartPolicy   = "argocd.argoproj.io/ignore-restart-policy"
	AnnotationIgnoreResourceUpdates = "argocd.argoproj.io/ignore-resource-updates"
	AnnotationKeyHelmHook           = "helm.sh/hook"
	AnnotationKeyHelmHookWeight     = "helm.sh/hook-weight"
	AnnotationKeyHelmHookDeletion   = "helm.sh/hook-delete-policy"
	AnnotationKeyHelmResourcePolicy = "helm.sh/resource-policy"
	AnnotationKubectlLastApplied    = "kubectl.kubernetes.io/last-applied-configuration"
)

// Labels.
const (
	// LabelKeyAppInstance holds the instance name in the tracking methods that use a label.
	LabelKeyAppInstance = "app.kubernetes.io/instance"
	// LabelKeyPartOf with LabelValuePartOfArgoCD marks the ConfigMaps and the Secret that hold settings.
	LabelKeyPartOf         = "app.kubernetes.io/part-of"
	LabelValuePartOfArgoCD = "argocd"
	// LabelKeyManagedBy with LabelValueManagedByBowline marks what Bowline made for itself.
	LabelKeyManagedBy          = "app.kubernetes.io/managed-by"
	LabelValueManagedByBowline = "bowline"
	// LabelKeyApplicationSetInstance names the ApplicationSet that an Application comes from.
	LabelKeyApplicationSetInstance = "argocd.argoproj.io/application-set-name"
	// LabelKeyAutoLabelClusterInfo "true" on a cluster Secret asks for LabelKeyClusterKubernetesVersion beside it.
	LabelKeyAutoLabelClusterInfo     = "argocd.argoproj.io/auto-label-cluster-info"
	LabelKeyClusterKubernetesVersion = "argocd.argoproj.io/kubernetes-version"
)

// Marks inside source repositories.
const (
	// SkipFileRenderingMarker anywhere in a file of plain manifests leaves the file out.
	SkipFileRenderingMarker = "+argocd:skip-file-rendering"
	// RepoSourceFile, and the form with -<application>, holds parameters laid over the source.
	RepoSourceFile = ".argocd-source.yaml"
)

// LabelKeySecretType marks Secrets that hold settings; its value says of what.
const (
	LabelKeySecretType                = "argocd.argoproj.io/secret-type"
	LabelValueSecretTypeCluster       = "cluster"
	LabelValueSecretTypeRepository    = "repository"
	LabelValueSecretTypeRepoCreds     = "repo-creds"
	LabelValueSecretTypeRepoWrite     = "repository-write"
	LabelValueSecretTypeRepoWriteCred = "repo-write-creds"
	LabelValueSecretTypeSCMCreds      = "scm-creds"
)

// Field managers.
const (
	// FieldManagerSync applies the objects of applications; it is Argo CD's, so that ownership carries over.
	FieldManagerSync = "argocd-controller"
	// FieldManagerHub writes everything else: status, operation, finalizers, annotations, settings.
	FieldManagerHub = "bowline"
)

// Names of our own.
const (
	// AnnotationHold keeps automated sync from applying again what a rollback took back; its value names the digest of
	// the desired state that is held off.
	AnnotationHold = "bowline.dev/hold"
	// AnnotationDeletionPlan notes the digest and time of a plan whose deletions wait for AnnotationDeletionApproved.
	AnnotationDeletionPlan = "bowline.dev/deletion-plan"
	// AnnotationOperation names, on the object of a hook, the try of the operation that made it.
	AnnotationOperation = "bowline.dev/operation"
	// AnnotationDependsOn names the Applications that have to be ready before this one is synced by itself: names separated by
	// commas, or a YAML list of {name, ready}, where ready is a CEL expression over app.
	AnnotationDependsOn = "bowline.dev/depends-on"
	// AnnotationRenderedFrom notes on an Application what its last full sync was made from, if a part of it cannot be made
	// again: the digests of the inputs and of the objects, with a point between.
	AnnotationRenderedFrom = "bowline.dev/rendered-from"
)

// ApplicationConditionHoldWarning says that automated sync is held by AnnotationHold. Its name ends in Warning, so that
// clients which know only Argo CD's types do not take it for an error.
const ApplicationConditionHoldWarning ApplicationConditionType = "HoldWarning"

// ApplicationConditionSyncWindowWarning says which sync window keeps an automated sync back, and until when.
const ApplicationConditionSyncWindowWarning ApplicationConditionType = "SyncWindowWarning"

// InfoOverrideWindow is the name of an info of an operation whose value says why a person has it pass closed sync windows.
const InfoOverrideWindow = "bowline.dev/override-window"

// InfoRequest is the name of an info of an operation whose value is chosen by who asked for it, to know it again.
const InfoRequest = "bowline.dev/request"

// ApplicationConditionDependencyWarning says which application a new revision waits for, by AnnotationDependsOn;
// ApplicationConditionDependencyError says that the annotation cannot be followed: it cannot be read, or leads in a circle.
const (
	ApplicationConditionDependencyWarning ApplicationConditionType = "DependencyWarning"
	ApplicationConditionDependencyError   ApplicationConditionType = "DependencyError"
)

// ApplicationConditionDeletionWarning says what the deletion of an Application waits for.
const ApplicationConditionDeletionWarning ApplicationConditionType = "DeletionWarning"

// ApplicationConditionManifestWarning names what is odd in manifests but accepted: a key that a mapping holds twice.
const ApplicationConditionManifestWarning ApplicationConditionType = "ManifestWarning"
