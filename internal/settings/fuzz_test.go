// SPDX-License-Identifier: Apache-2.0

package settings_test

import (
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings"
)

// FuzzParse feeds one key with anything: the parser must not panic, must blame at most that key, and must leave
// every other setting at its default.
func FuzzParse(f *testing.F) {
	for _, key := range []string{
		"resource.exclusions", "resource.inclusions", "resource.compareoptions", "resource.customizations",
		"resource.customizations.ignoreDifferences.apps_Deployment", "timeout.reconciliation", "application.instanceLabelKey",
		"resource.customizations.health.apps_Deployment", "resource.customizations.useOpenLibs.Secret",
		"resource.customizations.actions.batch_Job", "resource.customizations.knownTypeFields.a_B", "bowline.health.cel.a_B",
		"resource.customizations.ignoreResourceUpdates.all", "bowline.application.eventBudget", "resource.respectRBAC",
		"controller.self.heal.backoff.factor", "application.namespaces", "webhook.maxPayloadSizeMB",
	} {
		f.Add(key, "- apiGroups: ['*.{a,b}']\n  kinds: ['*']")
		f.Add(key, "apps/*: {ignoreDifferences: 'jsonPointers: [/a]'}")
		f.Add(key, "3d")
		f.Add(key, "10/s burst 100")
		f.Add(key, "'*/*': {health.lua: 'return {}', health.lua.useOpenLibs: true, health.cel: 'true', knownTypeFields: [{field: a, type: b}], actions: '{}', ignoreResourceUpdates: '{}'}")
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		data := map[string]string{key: value}
		got, errs := settings.Defaults().With(data, data)
		if len(errs) > 1 {
			t.Fatalf("one key gave %d errors: %v", len(errs), errs)
		}
		if len(errs) == 1 {
			if !fault.Is(errs[0], fault.Mistake) {
				t.Fatalf("error of kind %s: %v", fault.KindOf(errs[0]), errs[0])
			}
			want := settings.Defaults()
			if got.Tracker != want.Tracker || got.Compare != want.Compare || got.SelfHeal != want.SelfHeal || got.PollInterval != want.PollInterval {
				t.Fatalf("a broken key left a trace: %+v", got)
			}
		}
		for _, c := range got.Customizations {
			if _, err := c.Matcher(); err != nil {
				t.Fatalf("a pattern that does not compile was let through: %+v: %v", c, err)
			}
		}
		if again, _ := got.With(data, data); len(again.IgnoreDifferences) != len(got.IgnoreDifferences) {
			t.Fatalf("reading again gives other rules: %v, then %v", got.IgnoreDifferences, again.IgnoreDifferences)
		}
		if !got.Filter.Excluded("events.k8s.io", "Event", "") {
			t.Fatal("events came into sight")
		}
	})
}
