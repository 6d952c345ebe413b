// SPDX-License-Identifier: Apache-2.0

package app

import (
	"log/slog"
	"reflect"
	"sync"

	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/settings"
)

// judges makes the judge of the settings of the moment: users' checks are compiled once for each version of them.
type judges struct {
	log *slog.Logger

	mu      sync.Mutex
	version string
	judge   *health.Judge
	made    settings.Settings // what the judge was made of
}

// of returns the judge of the settings. Checks that do not compile are in the log once for each version. It is the same one
// for as long as nothing of what it is made of changes: whoever keeps verdicts makes them anew with another one.
func (j *judges) of(s *configuration.Snapshot) *health.Judge {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.judge != nil && j.version == s.Version {
		return j.judge
	}
	if j.judge != nil && j.made.HealthConventions == s.Settings.HealthConventions && j.made.ApplicationHealth == s.Settings.ApplicationHealth &&
		reflect.DeepEqual(j.made.Customizations, s.Settings.Customizations) {
		j.version = s.Version
		return j.judge
	}
	overrides, errs := health.CompileOverrides(s.Settings.Customizations)
	for _, err := range errs {
		j.log.Warn("a health check of argocd-cm cannot be used: objects of its kind are Unknown", "error", err)
	}
	j.made = s.Settings
	j.judge, j.version = health.NewJudge(overrides, s.Settings.HealthConventions), s.Version
	if s.Settings.ApplicationHealth {
		j.judge = j.judge.WithApplications()
	}
	return j.judge
}
