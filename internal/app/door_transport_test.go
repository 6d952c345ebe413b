// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

func TestTheAuditNamesWhoTriedWhatAndWhichRuleDecided(t *testing.T) {
	var out bytes.Buffer
	bus := &event.Bus{}
	sub := bus.Subscribe(10)
	defer sub.Close()
	a := &auditor{log: slog.New(slog.NewTextHandler(&out, nil)), bus: bus, home: "argocd"}
	record := transport.Record{
		RequestID: "r1", Actor: "alice", Kind: "login", Address: "10.0.0.1:5", Verb: "application.ApplicationService/Sync", Object: "web",
		Changes: true, Decision: transport.Refused, Error: "permission denied",
		Rights: []transport.Ruled{{
			Right:  access.Right{Resource: access.Applications, Action: access.Sync, Object: "shop/web"},
			Ruling: access.Ruling{Rule: "p, role:dev, applications, sync, shop/*, deny", Where: "policy.csv", Reason: "a rule denies it"},
		}},
	}
	a.note(t.Context(), record)
	a.note(t.Context(), record)
	for _, text := range []string{"level=WARN", "audit.request=r1", "audit.actor=alice", "audit.from=10.0.0.1:5", "audit.verb=application.ApplicationService/Sync",
		"audit.object=web", "audit.decision=refused", `audit.rule="p, role:dev, applications, sync, shop/*, deny"`, "audit.where=policy.csv"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("the line lacks %s: %s", text, out.String())
		}
	}
	got := <-sub.Records()
	if got.Reason != event.CallRefused || got.App.String() != "argocd/web" || got.User != "alice" || !got.Failed {
		t.Errorf("the Event is %+v", got)
	}
	if len(sub.Records()) != 0 {
		t.Error("trying again at once is told again")
	}
	record.Rights[0].Object = "shop/team/web"
	a.note(t.Context(), record)
	if got := <-sub.Records(); got.App.String() != "team/web" {
		t.Errorf("an application elsewhere is named %s", got.App)
	}
	record.Decision = transport.Allowed
	a.note(t.Context(), record)
	record.Decision, record.Changes = transport.Refused, false
	record.Actor = "bob"
	a.note(t.Context(), record)
	if len(sub.Records()) != 0 {
		t.Error("what was allowed, or only read, is told here")
	}
}
