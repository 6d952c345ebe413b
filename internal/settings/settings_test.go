// SPDX-License-Identifier: Apache-2.0

package settings_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

func TestParseReadsEachKey(t *testing.T) {
	tests := []struct {
		key, value string
		get        func(settings.Settings) any
		want       any
	}{
		{"application.resourceTrackingMethod", "annotation+label", func(s settings.Settings) any { return s.Tracker.Method }, object.TrackByAnnotationAndLabel},
		{"application.resourceTrackingMethod", "label", func(s settings.Settings) any { return s.Tracker.Method }, object.TrackByLabel},
		{"application.instanceLabelKey", "example.com/app", func(s settings.Settings) any { return s.Tracker.LabelKey }, "example.com/app"},
		{"installationID", "east", func(s settings.Settings) any { return s.Tracker.InstallationID }, "east"},
		{"timeout.reconciliation", "180s", func(s settings.Settings) any { return s.PollInterval }, 3 * time.Minute},
		{"timeout.reconciliation", "90", func(s settings.Settings) any { return s.PollInterval }, 90 * time.Second},
		{"timeout.reconciliation", "0", func(s settings.Settings) any { return s.PollInterval }, time.Duration(0)},
		{"timeout.reconciliation.jitter", "0s", func(s settings.Settings) any { return s.PollJitter }, time.Duration(0)},
		{"timeout.hard.reconciliation", "1d", func(s settings.Settings) any { return s.HardInterval }, 24 * time.Hour},
		{"application.sync.impersonation.enforced", "false", func(s settings.Settings) any { return s.ImpersonationEnforced }, false},
		{"bowline.health.applications", "true", func(s settings.Settings) any { return s.ApplicationHealth }, true},
		{"bowline.sharedResources", "take", func(s settings.Settings) any { return s.SharedResources }, settings.SharedTake},
		{"bowline.supersede", "never", func(s settings.Settings) any { return s.Supersede }, settings.SupersedeNever},
		{"bowline.sync.hookTimeout", "2h", func(s settings.Settings) any { return s.HookTimeout }, 2 * time.Hour},
		{"bowline.sync.waveTimeout", "90s", func(s settings.Settings) any { return s.WaveTimeout }, 90 * time.Second},
		{"bowline.deletionGuard", "warn", func(s settings.Settings) any { return s.DeletionGuard }, settings.GuardWarn},
		{"cluster.inClusterEnabled", "false", func(s settings.Settings) any { return s.InCluster }, false},
		{"webhook.maxPayloadSizeMB", "1", func(s settings.Settings) any { return s.WebhookMaxBytes }, int64(1 << 20)},
		{"controller.repo.error.grace.period.seconds", "10", func(s settings.Settings) any { return s.RepoErrorGrace }, 10 * time.Second},
		{"ignore.normalizer.jq.timeout", "5s", func(s settings.Settings) any { return s.JQTimeout }, 5 * time.Second},
		{"controller.ignore.normalizer.jq.timeout", "2s", func(s settings.Settings) any { return s.JQTimeout }, 2 * time.Second},
		{"bowline.application.eventBudget", "2.5/s burst 20", func(s settings.Settings) any { return s.EventBudget }, settings.EventBudget{PerSecond: 2.5, Burst: 20}},
		{"bowline.health.conventions", "false", func(s settings.Settings) any { return s.HealthConventions }, false},
		{"resource.ignoreResourceUpdatesEnabled", "false", func(s settings.Settings) any { return s.IgnoreUpdates }, false},
		{"resource.respectRBAC", "strict", func(s settings.Settings) any { return s.RespectRBAC }, settings.RBACStrict},
		{"resource.respectRBAC", "", func(s settings.Settings) any { return s.RespectRBAC }, settings.RBACIgnored},
		{"resource.sensitive.mask.annotations", "example.com/token, example.com/key", func(s settings.Settings) any { return s.MaskAnnotations }, []string{"example.com/token", "example.com/key"}},
		{"controller.resource.health.persist", "true", func(s settings.Settings) any { return s.PersistHealth }, true},
		{"controller.self.heal.timeout.seconds", "5", func(s settings.Settings) any { return s.SelfHeal.Timeout }, 5 * time.Second},
		{"controller.self.heal.backoff.timeout.seconds", "0", func(s settings.Settings) any { return s.SelfHeal.Backoff }, time.Duration(0)},
		{"controller.self.heal.backoff.factor", "2", func(s settings.Settings) any { return s.SelfHeal.Factor }, 2},
		{"controller.self.heal.backoff.cap.seconds", "60", func(s settings.Settings) any { return s.SelfHeal.Cap }, time.Minute},
		{"helm.enable", "false", func(s settings.Settings) any { return s.Rendering.HelmOff }, true},
		{"kustomize.enable", "true", func(s settings.Settings) any { return s.Rendering.KustomizeOff }, false},
		{"jsonnet.enable", "false", func(s settings.Settings) any { return s.Rendering.JsonnetOff }, true},
		{"helm.valuesFileSchemes", "https, secrets", func(s settings.Settings) any { return s.Rendering.ValuesFileSchemes }, []string{"https", "secrets"}},
		{"helm.valuesFileSchemes", "", func(s settings.Settings) any { return s.Rendering.ValuesFileSchemes }, []string(nil)},
		{"kustomize.buildOptions", "--enable-helm", func(s settings.Settings) any { return s.Rendering.KustomizeBuildOptions }, "--enable-helm"},
		{"kustomize.buildOptions.v5.0.0", "--enable-helm", func(s settings.Settings) any { return s.Rendering.KustomizeVersions }, map[string]string{"v5.0.0": "--enable-helm"}},
		{"kustomize.path.v4.5.7", "/custom-tools/kustomize", func(s settings.Settings) any { return s.Rendering.KustomizeVersions }, map[string]string{"v4.5.7": ""}},
		{"bowline.render.timeout", "10s", func(s settings.Settings) any { return s.Rendering.Time }, 10 * time.Second},
		{"bowline.render.memory", "512Mi", func(s settings.Settings) any { return s.Rendering.Memory }, int64(512 << 20)},
		{"bowline.render.maxObjects", "100", func(s settings.Settings) any { return s.Rendering.Objects }, 100},
		{"bowline.plugin.maxTar", "2Gi", func(s settings.Settings) any { return s.Rendering.PluginTarBytes }, int64(2 << 30)},
		{"bowline.plugin.expected", "cue-v1.0, kcl", func(s settings.Settings) any { return s.Rendering.PluginsExpected }, []string{"cue-v1.0", "kcl"}},
		{"bowline.source.maxIndex", "10M", func(s settings.Settings) any { return s.Fetching.IndexBytes }, int64(10_000_000)},
		{"bowline.source.privateHosts", "*.corp.example", func(s settings.Settings) any { return s.Fetching.PrivateHosts }, []string{"*.corp.example"}},
		{"reposerver.enable.git.submodule", "false", func(s settings.Settings) any { return s.Fetching.Submodules }, false},
		{"reposerver.max.combined.directory.manifests.size", "20Mi", func(s settings.Settings) any { return s.Rendering.DirectoryBytes }, int64(20 << 20)},
		{"reposerver.plugin.tar.exclusions", "*.png;docs/*", func(s settings.Settings) any { return s.Rendering.PluginTarExclusions }, []string{"*.png", "docs/*"}},
		{"application.namespaces", "team-*, /^x.*$/", func(s settings.Settings) any { return s.Namespaces }, []string{"team-*", "/^x.*$/"}},
		{"resource.compareoptions", "ignoreResourceStatusField: crd\nignoreAggregatedRoles: true", func(s settings.Settings) any { return s.Compare },
			settings.Compare{IgnoreStatus: settings.IgnoreStatusCRD, IgnoreAggregatedRoles: true, IgnoreDifferencesOnResourceUpdates: true}},
		{"resource.compareoptions", "ignoreResourceStatusField: off", func(s settings.Settings) any { return s.Compare.IgnoreStatus }, settings.IgnoreStatusNone},
		{"resource.compareoptions", "ignoreResourceStatusField: 'none'\nignoreDifferencesOnResourceUpdates: false", func(s settings.Settings) any { return s.Compare },
			settings.Compare{IgnoreStatus: settings.IgnoreStatusNone}},
	}
	for _, tt := range tests {
		t.Run(tt.key+"="+tt.value, func(t *testing.T) {
			data := map[string]string{tt.key: tt.value}
			cm, params := data, map[string]string(nil)
			if strings.HasPrefix(tt.key, "controller.") || strings.HasPrefix(tt.key, "ignore.") || strings.HasPrefix(tt.key, "reposerver.") || tt.key == "application.namespaces" {
				cm, params = params, cm
			}
			got, errs := settings.Defaults().With(cm, params)
			if len(errs) != 0 {
				t.Fatalf("errors: %v", errs)
			}
			if diff := cmp.Diff(tt.want, tt.get(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABlankKeyHasItsDefault(t *testing.T) {
	got, errs := settings.Defaults().With(map[string]string{"timeout.reconciliation": " ", "application.instanceLabelKey": ""}, nil)
	if len(errs) != 0 || got.PollInterval != 2*time.Minute || got.Tracker.LabelKey != v1alpha1.LabelKeyAppInstance {
		t.Errorf("interval %v, label key %q, errors %v", got.PollInterval, got.Tracker.LabelKey, errs)
	}
}

func TestABrokenKeyIsReportedWithWhatToWrite(t *testing.T) {
	tests := []struct{ key, value, want string }{
		{"application.resourceTrackingMethod", "labels", "annotation, annotation+label, label"},
		{"application.instanceLabelKey", "not a key", "label key such as"},
		{"timeout.reconciliation", "-3m", "such as 120s"},
		{"timeout.reconciliation", "soon", `"soon" is not a length of time`},
		{"bowline.deletionGuard", "on", "enforce, warn, off"},
		{"cluster.inClusterEnabled", "yep", `"true" or "false"`},
		{"resource.exclusions", "- apiGroups: {", "not the YAML"},
		{"resource.exclusions", "- {}", "would match every kind"},
		{"resource.exclusions", "- apiGroups: ['[']", "entry 1: pattern"},
		{"resource.compareoptions", "ignoreResourceStatusField: some", "all, crd or none"},
		{"resource.customizations", "apps/Deployment: [", "not the YAML"},
		{"resource.customizations", "apps/Deployment:\n  ignoreDifferences: 'jsonPointers: 1'", "apps/Deployment"},
		{"resource.customizations.ignoreDifferences.apps_Deployment", "jsonPointers: true", "not the YAML"},
		{"resource.customizations.ignoreDifferences.apps_", "jsonPointers: []", "names no kind"},
		{"webhook.maxPayloadSizeMB", "0", "from 1 to 1024"},
		{"resource.respectRBAC", "yes", "normal, strict"},
		{"bowline.application.eventBudget", "10", "such as 10/s burst 100"},
		{"bowline.application.eventBudget", "0/s burst 1", "such as 10/s burst 100"},
		{"bowline.application.eventBudget", "NaN/s burst 1", "such as 10/s burst 100"},
		{"resource.customizations.useOpenLibs.example.com_Thing", "yes please", "neither true nor false"},
		{"resource.customizations.knownTypeFields.example.com_Thing", "- field: spec.x", "write a list of {field, type}"},
		{"resource.customizations.actions.example.com_Thing", "definitions: {}", "not the YAML"},
		{"resource.customizations.health.all", "return {}", "all kinds"},
		{"bowline.health.cel.example.com_", "1", "names no kind"},
		{"resource.customizations", "'[/x': {health.lua: return 1}", "is no pattern"},
	}
	for _, tt := range tests {
		t.Run(tt.key+"="+tt.value, func(t *testing.T) {
			_, errs := settings.Defaults().With(map[string]string{tt.key: tt.value}, nil)
			if len(errs) != 1 {
				t.Fatalf("want one error, got %v", errs)
			}
			text := errs[0].Error()
			for _, want := range []string{tt.key, "argocd-cm", tt.want, "former value stays in force"} {
				if !strings.Contains(text, want) {
					t.Errorf("error does not say %q: %s", want, text)
				}
			}
			if fault.KindOf(errs[0]) != fault.Mistake {
				t.Errorf("kind is %s, want mistake", fault.KindOf(errs[0]))
			}
		})
	}
}

func TestABrokenKeyKeepsItsFormerValueAndTakesNoOtherDown(t *testing.T) {
	const ignoreKey = "resource.customizations.ignoreDifferences.apps_Deployment"
	before, errs := settings.Defaults().With(map[string]string{
		"application.resourceTrackingMethod": "label",
		"resource.exclusions":                "- {apiGroups: [example.com]}",
		ignoreKey:                            "jsonPointers: [/spec/replicas]",
	}, map[string]string{"controller.self.heal.backoff.factor": "7"})
	if len(errs) != 0 {
		t.Fatal(errs)
	}
	after, errs := before.With(map[string]string{
		"application.resourceTrackingMethod": "lable",
		"resource.exclusions":                "- {",
		ignoreKey:                            "- not a map",
		"installationID":                     "new",
	}, map[string]string{"controller.self.heal.backoff.factor": "x"})
	if len(errs) != 4 {
		t.Errorf("want four errors, got %v", errs)
	}
	if after.Tracker != (object.Tracker{Method: object.TrackByLabel, LabelKey: v1alpha1.LabelKeyAppInstance, InstallationID: "new"}) {
		t.Errorf("tracker is %+v", after.Tracker)
	}
	if !after.Filter.Excluded("example.com", "Thing", "") {
		t.Error("the broken exclusions took the former ones away")
	}
	if after.SelfHeal.Factor != 7 {
		t.Errorf("factor is %d", after.SelfHeal.Factor)
	}
	if diff := cmp.Diff(before.IgnoreDifferences, after.IgnoreDifferences); diff != "" {
		t.Error(diff)
	}
	gone, _ := after.With(nil, nil)
	if gone.Tracker.Method != object.TrackByAnnotation || len(gone.IgnoreDifferences) != 0 || gone.Filter.Excluded("example.com", "Thing", "") {
		t.Errorf("keys that are gone do not have their defaults: %+v", gone)
	}
}

func TestARuleThatCannotBeCarriedOutKeepsTheFormerOne(t *testing.T) {
	const key = "resource.customizations.ignoreDifferences.apps_Deployment"
	refuse := func(rule v1alpha1.ResourceIgnoreDifferences) error {
		if slices.Contains(rule.JQPathExpressions, ".spec[") {
			return errors.New("it does not end")
		}
		return nil
	}
	before, errs := settings.Defaults().Checking(refuse).With(map[string]string{key: "jqPathExpressions: [.spec]"}, nil)
	if len(errs) != 0 {
		t.Fatal(errs)
	}
	after, errs := before.Checking(refuse).With(map[string]string{key: "jqPathExpressions: ['.spec[']"}, nil)
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), key) || !strings.Contains(errs[0].Error(), "it does not end") {
		t.Errorf("want one error that names the key, got %v", errs)
	}
	if diff := cmp.Diff(before.IgnoreDifferences, after.IgnoreDifferences); diff != "" {
		t.Error(diff)
	}
}

func TestIgnoreDifferencesOfAllForms(t *testing.T) {
	got, errs := settings.Defaults().With(map[string]string{
		"resource.customizations": `
"*.example.com/*":
  ignoreDifferences: |
    jsonPointers: [/spec/a]
Secret:
  ignoreDifferences: {jqPathExpressions: [.data.tls]}
argoproj.io/Rollout:
  health.lua: return {}
`,
		"resource.customizations.ignoreDifferences.all":                                                       "managedFieldsManagers: [kube-controller-manager]",
		"resource.customizations.ignoreDifferences.admissionregistration.k8s.io_MutatingWebhookConfiguration": "jqPathExpressions: ['.webhooks[]?.clientConfig.caBundle']",
		"resource.customizations.ignoreDifferences.ConfigMap":                                                 "jsonPointers: [/data/x]",
		"resource.customizations.health.apps_Deployment":                                                      "return {}",
	}, nil)
	if len(errs) != 0 {
		t.Fatal(errs)
	}
	want := v1alpha1.IgnoreDifferences{
		{Group: "*.example.com", Kind: "*", JSONPointers: []string{"/spec/a"}},
		{Kind: "Secret", JQPathExpressions: []string{".data.tls"}},
		{Kind: "ConfigMap", JSONPointers: []string{"/data/x"}},
		{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration", JQPathExpressions: []string{".webhooks[]?.clientConfig.caBundle"}},
		{Group: "*", Kind: "*", ManagedFieldsManagers: []string{"kube-controller-manager"}},
	}
	if diff := cmp.Diff(want, got.IgnoreDifferences); diff != "" {
		t.Error(diff)
	}
}
