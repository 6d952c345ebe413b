// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"strconv"
	"time"
)

// Doing are the settings of what people may do to applications and their objects.
type Doing struct {
	// RollbackRight asks for the right rollback where a rollback else needs the right sync
	// (server.rbac.rollback.enforce.enable).
	RollbackRight bool
	// RevisionOverride asks for the right override to sync to another revision than the application's
	// (application.sync.requireOverridePrivilegeForRevisionSync).
	RevisionOverride bool
	// FineGrained asks for the rights update/<group>/<kind>/<namespace>/<name> and delete/… where objects of an application
	// are patched and deleted; else update and delete of the application are enough
	// (server.rbac.disableApplicationFineGrainedRBACInheritance).
	FineGrained bool
	// MaxPodLogs is how many pods' logs one call shows (server.maxPodLogsToRender).
	MaxPodLogs int
	// Terminal is whether terminals may be opened (exec.enabled), TerminalShells what may be run in them, the first that a
	// container has (exec.shells), TerminalTimeout how long one lasts (bowline.exec.timeout); 0 means without end.
	Terminal        bool
	TerminalShells  []string
	TerminalTimeout time.Duration
}

var defaultDoing = Doing{FineGrained: true, MaxPodLogs: 10, TerminalShells: []string{"bash", "sh", "powershell", "cmd"}}

var doingKeys = []reader{
	inCM("application.sync.requireOverridePrivilegeForRevisionSync", func(s *Settings) *bool { return &s.Doing.RevisionOverride }, boolean),
	inCM("bowline.exec.timeout", func(s *Settings) *duration { return &s.Doing.TerminalTimeout }, span),
	inCM("exec.enabled", func(s *Settings) *bool { return &s.Doing.Terminal }, boolean),
	inCM("exec.shells", func(s *Settings) *[]string { return &s.Doing.TerminalShells }, list),
	inCM("server.maxPodLogsToRender", func(s *Settings) *int { return &s.Doing.MaxPodLogs }, pods),
	inCM("server.rbac.disableApplicationFineGrainedRBACInheritance", func(s *Settings) *bool { return &s.Doing.FineGrained }, boolean),
	inCM("server.rbac.rollback.enforce.enable", func(s *Settings) *bool { return &s.Doing.RollbackRight }, boolean),
}

func pods(raw string) (int, error) {
	n, err := strconv.Atoi(raw)
	if err != nil || n < 1 {
		return 0, hint{quoted(raw) + " is not a number of pods", "write a number of at least 1"}
	}
	return n, nil
}
