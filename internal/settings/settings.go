// SPDX-License-Identifier: Apache-2.0

// Package settings reads the two ConfigMaps that hold an installation's settings, argocd-cm and
// argocd-cmd-params-cm, under the keys Argo CD gave them, into typed values.
//
// The words of this room:
//
//   - Setting: one key of a ConfigMap. A key that is absent or blank has its default.
//   - Broken: a setting whose text does not say what it should. It is reported, it keeps the value it had
//     before, and it takes no other setting down: a typo in one key must not change how objects are tracked.
//   - Filter: the kinds that are out of Bowline's sight, by exclusions and inclusions.
//
// The keys, their defaults and what they mean are listed in docs/reference/settings.md.
package settings

import (
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// Settings are the settings of one installation. They are values: a change of a ConfigMap gives new ones.
type Settings struct {
	// Tracker marks objects (application.resourceTrackingMethod, application.instanceLabelKey, installationID).
	Tracker object.Tracker
	// Filter says which kinds are out of sight (resource.exclusions, resource.inclusions).
	Filter Filter
	// Compare holds resource.compareoptions.
	Compare Compare
	// IgnoreDifferences are the rules for all applications (resource.customizations and
	// resource.customizations.ignoreDifferences.*), in the order of their keys. Group and Kind are globs.
	IgnoreDifferences v1alpha1.IgnoreDifferences

	// Customizations are what argocd-cm says of single kinds (resource.customizations, its split keys and
	// bowline.health.cel.*), differences apart, which are IgnoreDifferences. Of health and of actions, the first that
	// matches a kind and says something of the matter counts for it; of lists, all that match do.
	Customizations []Customization
	// HealthConventions judges kinds that nothing is known of by the conventions of conditions
	// (bowline.health.conventions).
	HealthConventions bool
	// MaskAnnotations are annotations whose values are never shown (resource.sensitive.mask.annotations).
	MaskAnnotations []string
	// NodeLabels are the labels of nodes that trees may show (application.allowedNodeLabels).
	NodeLabels []string
	// JQTimeout bounds one jq expression on one object (ignore.normalizer.jq.timeout).
	JQTimeout time.Duration
	// IgnoreUpdates is whether changes of fields that customizations name cause no work
	// (resource.ignoreResourceUpdatesEnabled).
	IgnoreUpdates bool
	// RespectRBAC says whether kinds that the account may not list are left out (resource.respectRBAC).
	RespectRBAC RespectRBAC
	// EventBudget bounds the work that events of one application's objects may cause (bowline.application.eventBudget).
	EventBudget EventBudget

	// PollInterval and PollJitter say how often a repository is asked for its refs (timeout.reconciliation and
	// timeout.reconciliation.jitter); an interval of 0 means never, only webhooks and refreshes do.
	PollInterval, PollJitter time.Duration
	// HardInterval is how often what was rendered is forgotten (timeout.hard.reconciliation); 0 means never.
	HardInterval time.Duration
	// RepoErrorGrace is how long a repository may fail before its applications say so
	// (controller.repo.error.grace.period.seconds).
	RepoErrorGrace time.Duration
	// SelfHeal is the back-off of self-heal (controller.self.heal.*).
	SelfHeal SelfHeal
	// DeletionGuard says what happens to an automated operation that would prune too much (bowline.deletionGuard).
	DeletionGuard Guard

	// Supersede says when a newer revision takes over an automated operation (bowline.supersede).
	Supersede Supersede
	// SharedResources says what happens to an object that another living application desires and has
	// (bowline.sharedResources).
	SharedResources Shared
	// WaveDelay is the pause between two waves of a sync (controller.sync.wave.delay.seconds).
	WaveDelay time.Duration
	// SyncTimeout ends an operation that takes longer (controller.sync.timeout.seconds); 0 means never.
	SyncTimeout time.Duration
	// WaveTimeout and HookTimeout bound one wait of a sync: for what a wave applied to be healthy, and for a hook to end
	// (bowline.sync.waveTimeout, bowline.sync.hookTimeout).
	WaveTimeout, HookTimeout time.Duration
	// ReplaceAllowed is whether the sync option Replace may be used (server.sync.replace.allowed).
	ReplaceAllowed bool
	// ApplicationHealth gives child Applications the health that their own status says, so that waves of an app of apps wait
	// for them (bowline.health.applications). Argo CD has no health for them.
	ApplicationHealth bool

	// Impersonation asks that objects are applied as a service account (application.sync.impersonation.enabled), and
	// ImpersonationEnforced that a sync fails for which the project names none
	// (application.sync.impersonation.enforced).
	Impersonation, ImpersonationEnforced bool
	// ExecAllowed are the commands that cluster Secrets may run for credentials (bowline.cluster.execAllowed).
	ExecAllowed []string
	// InCluster is whether the cluster Bowline lives in may be a destination (cluster.inClusterEnabled).
	InCluster bool
	// PersistHealth keeps the health of each resource in status.resources (controller.resource.health.persist).
	PersistHealth bool
	// Namespaces are the patterns of application.namespaces: globs, or regular expressions between slashes.
	Namespaces []string
	// Rendering and Fetching are about sources.
	Rendering Rendering
	Fetching  Fetching
	// WebhookMaxBytes is the largest webhook body that is read (webhook.maxPayloadSizeMB).
	WebhookMaxBytes int64
	// Serving is about what is served to people and programs.
	Serving Serving
	// Doing is about what people may do to applications.
	Doing Doing
	// Showing is about what is shown beside applications.
	Showing Showing
	// Globals are the projects whose rules others inherit (globalProjects).
	Globals []Global
	// Users are about local accounts and sessions.
	Users Users

	exclusions, inclusions []FilterRule
	saidByKey              map[string]said
	checkRule              func(v1alpha1.ResourceIgnoreDifferences) error // see Checking
}

// Compare are the options of resource.compareoptions.
type Compare struct {
	// IgnoreStatus says for which kinds the status field is not compared.
	IgnoreStatus IgnoreStatus
	// IgnoreAggregatedRoles leaves out the rules of ClusterRoles that Kubernetes fills by aggregation.
	IgnoreAggregatedRoles bool
	// IgnoreDifferencesOnResourceUpdates also spares the work that a change of an ignored field would cause.
	IgnoreDifferencesOnResourceUpdates bool
}

// IgnoreStatus says for which kinds the status field is not compared.
type IgnoreStatus string

// The values of ignoreResourceStatusField.
const (
	IgnoreStatusAll  IgnoreStatus = "all"
	IgnoreStatusCRD  IgnoreStatus = "crd" // CustomResourceDefinitions only
	IgnoreStatusNone IgnoreStatus = "none"
)

// SelfHeal is the back-off between self-heals of the same revision: Backoff × Factor^(n-1), at most Cap,
// measured from the end of the last one. The first comes at once.
type SelfHeal struct {
	// Timeout is the constant wait that is used when Backoff is 0.
	Timeout time.Duration
	Backoff time.Duration
	Factor  int
	Cap     time.Duration
}

// Supersede is when a newer revision takes over a running or retrying automated operation.
type Supersede string

// The values of bowline.supersede.
const (
	// SupersedeAwaitHooks takes over between two objects and never while a hook runs.
	SupersedeAwaitHooks Supersede = "await-hooks"
	// SupersedeEndHooks ends running hooks, too.
	SupersedeEndHooks Supersede = "end-hooks"
	// SupersedeNever lets every operation run to its end, as Argo CD does.
	SupersedeNever Supersede = "never"
)

// Shared is what happens to objects of two applications.
type Shared string

// The values of bowline.sharedResources.
const (
	// SharedKeep leaves them with the application that has them.
	SharedKeep Shared = "keep"
	// SharedTake gives them to the one that syncs last, as Argo CD does.
	SharedTake Shared = "take"
)

// Guard is what the deletion guard does.
type Guard string

// The values of bowline.deletionGuard.
const (
	// GuardEnforce leaves what is guarded until a person confirms.
	GuardEnforce Guard = "enforce"
	// GuardWarn prunes it and says so.
	GuardWarn Guard = "warn"
	// GuardOff prunes it.
	GuardOff Guard = "off"
)

// Defaults are the settings of an installation whose ConfigMaps are empty. The exclusions that a new argocd-cm
// is created with (DefaultResourceExclusions) are not among them: a ConfigMap without that key excludes nothing more.
func Defaults() Settings {
	return Settings{
		Tracker:         object.Tracker{Method: object.TrackByAnnotation, LabelKey: v1alpha1.LabelKeyAppInstance},
		Compare:         Compare{IgnoreStatus: IgnoreStatusAll, IgnoreDifferencesOnResourceUpdates: true},
		PollInterval:    120 * time.Second,
		PollJitter:      60 * time.Second,
		RepoErrorGrace:  180 * time.Second,
		SelfHeal:        SelfHeal{Backoff: 2 * time.Second, Factor: 3, Cap: 300 * time.Second},
		DeletionGuard:   GuardEnforce,
		Supersede:       SupersedeAwaitHooks,
		SharedResources: SharedKeep,
		WaveDelay:       2 * time.Second,
		WaveTimeout:     time.Hour,
		HookTimeout:     24 * time.Hour,
		ReplaceAllowed:  true,

		ImpersonationEnforced: true,

		InCluster:         true,
		HealthConventions: true,
		JQTimeout:         time.Second,
		IgnoreUpdates:     true,
		EventBudget:       EventBudget{PerSecond: 10, Burst: 100},
		Rendering:         defaultRendering,
		Fetching:          defaultFetching,
		WebhookMaxBytes:   50 << 20,
		Serving:           defaultServing,
		Doing:             defaultDoing,
		Users:             defaultUsers,
	}
}
