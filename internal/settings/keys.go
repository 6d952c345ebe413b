// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// With reads the ConfigMaps again, from defaults; a setting that is broken now keeps the value it has in s.
func (s Settings) With(cm, params map[string]string) (Settings, []error) {
	next := Defaults()
	var errs []error
	for _, key := range allKeys() {
		if err := key.read(&next, s, cm, params); err != nil {
			errs = append(errs, err)
		}
	}
	next.Filter = newFilter(next.exclusions, next.inclusions)
	return next, append(errs, next.readCustomizations(s, cm)...)
}

// reader is one key.
type reader struct {
	where, name string
	// read reads the key into next, or takes prev's value and says why.
	read func(next *Settings, prev Settings, cm, params map[string]string) error
}

func allKeys() []reader {
	return slices.Concat(keys, sourceKeys, servingKeys, doingKeys, userKeys, showingKeys)
}

// Unused returns the keys of argocd-cmd-params-cm that have no meaning here, in order: most of them tune processes of Argo CD
// that one program does not have.
func Unused(params map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if !slices.ContainsFunc(allKeys(), func(r reader) bool {
			return r.where == v1alpha1.CommandParamsConfigMapName && r.name == name
		}) {
			out = append(out, name)
		}
	}
	return out
}

// keys are the settings with a fixed name, in the order of their names.
var keys = []reader{
	inCM("application.allowedNodeLabels", func(s *Settings) *[]string { return &s.NodeLabels }, list),
	inCM("application.instanceLabelKey", func(s *Settings) *string { return &s.Tracker.LabelKey }, labelKey),
	inParams("application.namespaces", func(s *Settings) *[]string { return &s.Namespaces }, list),
	inCM("application.resourceTrackingMethod", func(s *Settings) *method { return &s.Tracker.Method }, trackingMethod),
	inCM("application.sync.impersonation.enabled", func(s *Settings) *bool { return &s.Impersonation }, boolean),
	inCM("application.sync.impersonation.enforced", func(s *Settings) *bool { return &s.ImpersonationEnforced }, boolean),
	inCM("bowline.application.eventBudget", func(s *Settings) *EventBudget { return &s.EventBudget }, eventBudget),
	inCM("bowline.cluster.execAllowed", func(s *Settings) *[]string { return &s.ExecAllowed }, list),
	inCM("bowline.deletionGuard", func(s *Settings) *Guard { return &s.DeletionGuard }, oneOf(GuardEnforce, GuardWarn, GuardOff)),
	inCM("bowline.health.applications", func(s *Settings) *bool { return &s.ApplicationHealth }, boolean),
	inCM("bowline.health.conventions", func(s *Settings) *bool { return &s.HealthConventions }, boolean),
	inCM("bowline.sharedResources", func(s *Settings) *Shared { return &s.SharedResources }, oneOf(SharedKeep, SharedTake)),
	inCM("bowline.supersede", func(s *Settings) *Supersede { return &s.Supersede }, oneOf(SupersedeAwaitHooks, SupersedeEndHooks, SupersedeNever)),
	inCM("bowline.sync.hookTimeout", func(s *Settings) *duration { return &s.HookTimeout }, positiveSpan),
	inCM("bowline.sync.waveTimeout", func(s *Settings) *duration { return &s.WaveTimeout }, positiveSpan),
	inCM("cluster.inClusterEnabled", func(s *Settings) *bool { return &s.InCluster }, boolean),
	inCM("globalProjects", func(s *Settings) *[]Global { return &s.Globals }, globals),
	// Argo CD documents the first name and its manifests read the second.
	inParams("ignore.normalizer.jq.timeout", func(s *Settings) *duration { return &s.JQTimeout }, positiveSpan),
	inParams("controller.ignore.normalizer.jq.timeout", func(s *Settings) *duration { return &s.JQTimeout }, positiveSpan),
	inParams("controller.repo.error.grace.period.seconds", func(s *Settings) *duration { return &s.RepoErrorGrace }, seconds),
	inParams("controller.resource.health.persist", func(s *Settings) *bool { return &s.PersistHealth }, boolean),
	inParams("controller.self.heal.backoff.cap.seconds", func(s *Settings) *duration { return &s.SelfHeal.Cap }, seconds),
	inParams("controller.self.heal.backoff.factor", func(s *Settings) *int { return &s.SelfHeal.Factor }, factor),
	inParams("controller.self.heal.backoff.timeout.seconds", func(s *Settings) *duration { return &s.SelfHeal.Backoff }, seconds),
	inParams("controller.self.heal.timeout.seconds", func(s *Settings) *duration { return &s.SelfHeal.Timeout }, seconds),
	inParams("controller.sync.timeout.seconds", func(s *Settings) *duration { return &s.SyncTimeout }, seconds),
	inParams("controller.sync.wave.delay.seconds", func(s *Settings) *duration { return &s.WaveDelay }, seconds),
	inCM("installationID", func(s *Settings) *string { return &s.Tracker.InstallationID }, text),
	inCM("resource.compareoptions", func(s *Settings) *Compare { return &s.Compare }, compareOptions),
	inCM("resource.exclusions", func(s *Settings) *[]FilterRule { return &s.exclusions }, filterRules),
	inCM("resource.ignoreResourceUpdatesEnabled", func(s *Settings) *bool { return &s.IgnoreUpdates }, boolean),
	inCM("resource.inclusions", func(s *Settings) *[]FilterRule { return &s.inclusions }, filterRules),
	inCM("resource.respectRBAC", func(s *Settings) *RespectRBAC { return &s.RespectRBAC }, oneOf(RBACNormal, RBACStrict)),
	inCM("resource.sensitive.mask.annotations", func(s *Settings) *[]string { return &s.MaskAnnotations }, list),
	inParams("server.sync.replace.allowed", func(s *Settings) *bool { return &s.ReplaceAllowed }, boolean),
	inCM("timeout.hard.reconciliation", func(s *Settings) *duration { return &s.HardInterval }, span),
	inCM("timeout.reconciliation", func(s *Settings) *duration { return &s.PollInterval }, span),
	inCM("timeout.reconciliation.jitter", func(s *Settings) *duration { return &s.PollJitter }, span),
	inCM("webhook.maxPayloadSizeMB", func(s *Settings) *int64 { return &s.WebhookMaxBytes }, megabytes),
}

func inCM[T any](name string, field func(*Settings) *T, parse func(string) (T, error)) reader {
	return reader{v1alpha1.ConfigMapName, name, func(next *Settings, prev Settings, cm, _ map[string]string) error {
		return read(v1alpha1.ConfigMapName, name, cm[name], field(next), *field(&prev), parse)
	}}
}

func inParams[T any](name string, field func(*Settings) *T, parse func(string) (T, error)) reader {
	return reader{v1alpha1.CommandParamsConfigMapName, name, func(next *Settings, prev Settings, _, params map[string]string) error {
		return read(v1alpha1.CommandParamsConfigMapName, name, params[name], field(next), *field(&prev), parse)
	}}
}

func read[T any](where, name, raw string, field *T, former T, parse func(string) (T, error)) error {
	if strings.TrimSpace(raw) == "" {
		return nil
	}
	value, err := parse(strings.TrimSpace(raw))
	if err != nil {
		*field = former
		return broken(where, name, err)
	}
	*field = value
	return nil
}

// hint is an error whose text says what is wrong and whose fix says what to write.
type hint struct{ cause, fix string }

func (h hint) Error() string { return h.cause }

// broken is the error of one broken setting.
func broken(where, name string, err error) error {
	fix := "mend the value"
	if h := (hint{}); errors.As(err, &h) {
		fix = h.fix
	}
	return &fault.Error{
		Kind: fault.Mistake, Op: "use the setting", Thing: name, Where: "ConfigMap " + where, Err: err,
		Fix: fix + "; until then the former value stays in force",
	}
}

// Checking returns the settings with a check that every rule about differences or updates has to pass when they are read again: what
// rules say is known to the room that carries them out.
func (s Settings) Checking(rule func(v1alpha1.ResourceIgnoreDifferences) error) Settings {
	s.checkRule = rule
	return s
}

func (s Settings) checkRules(rules v1alpha1.IgnoreDifferences) error {
	if s.checkRule == nil {
		return nil
	}
	for _, rule := range rules {
		if err := s.checkRule(rule); err != nil {
			return err
		}
	}
	return nil
}

func quoted(raw string) string {
	if len(raw) > 60 {
		raw = raw[:60] + "…"
	}
	return fmt.Sprintf("%q", raw)
}
