// SPDX-License-Identifier: Apache-2.0

package app

import (
	"log/slog"
	"sync"

	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/health"
)

// judges makes the judge of the settings of the moment: users' checks are compiled once for each version of them.
type judges struct {
	log *slog.Logger

	mu      sync.Mutex
	version string
	judge   *health.Judge
}

// of returns the judge of the settings. Checks that do not compile are in the log once for each version.
func (j *judges) of(s *configuration.Snapshot) *health.Judge {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.judge != nil && j.version == s.Version {
		return j.judge
	}
	overrides, errs := health.CompileOverrides(s.Settings.Customizations)
	for _, err := range errs {
		j.log.Warn("a health check of argocd-cm cannot be used: objects of its kind are Unknown", "error", err)
	}
	j.judge, j.version = health.NewJudge(overrides, s.Settings.HealthConventions), s.Version
	return j.judge
}
