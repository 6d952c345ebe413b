// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"strings"

	"github.com/bowline-cd/bowline/internal/plan"
)

// beginAutomated starts a sync by itself if the rules say so.
func (p *pass) beginAutomated(ctx context.Context) {
	if !p.compared || p.state == nil {
		return
	}
	if p.st.syncedDigest != p.state.Digest {
		p.st.syncedDigest = "" // coming back to what was synced once is news, too: the cluster went along meanwhile
	}
	p.st.strayed = p.st.strayed || !p.triedLast()
	approved := p.approved()
	in := p.autoSync(approved)
	d := plan.Decide(in)
	if d.Condition != nil {
		p.found.add(d.Condition.Type, d.Condition.Message)
	}
	p.requeue(d.Wait)
	if !d.Sync {
		return
	}
	if p.finished || p.tooSoon() {
		p.requeue(p.afterTheLast())
		return
	}
	if p.awaitsFormerOwner() {
		p.requeue(letGoEvery)
		return
	}
	p.log.Debug("automated sync", "reason", d.Reason, "attempt", d.Attempt)
	p.prepare(ctx, *d.Operation(in), p.now, 0, "")
}

// autoSync returns what the rules about automated syncs go by.
func (p *pass) autoSync(approved bool) plan.AutoSync {
	revision, revisions := p.state.Revision(len(p.app.Spec.Sources) > 0)
	in := plan.AutoSync{
		Policy: p.app.Spec.SyncPolicy, Operating: p.app.Operation != nil, Status: p.code,
		Revision: revision, Revisions: revisions, Sources: p.app.Spec.Sources,
		Unchanged: p.unchanged(),
		Last:      p.next.Status.OperationState, Conditions: p.found.conditions(nil, p.now),
		Unreachable: p.unreachable, NoAccount: p.nobody, Denied: p.denied, Hold: p.held, Awaits: p.awaits, Approved: approved && p.couldDelete(), Freed: p.st.freed(), Served: p.kindCame(), Now: p.Clock.Now(), Backoff: p.selfHealBackoff(),
	}
	if p.app.Spec.Source != nil {
		in.Source = *p.app.Spec.Source
	}
	for _, r := range p.st.table.inOrder() {
		if r.verdict == Apart {
			continue
		}
		in.Resources = append(in.Resources, plan.Resource{Key: r.key, Status: r.code(), RequiresPruning: r.verdict == Extra, Kept: r.stays,
			Held: r.keep || r.shared != "" || r.verdict == Extra && r.live.deleting})
	}
	return in
}

// unchanged reports whether what is desired is what was synced or tried last, be it under the name of another commit, and
// nothing else was desired in between.
func (p *pass) unchanged() bool {
	return !p.st.strayed && p.triedLast() || p.st.syncedDigest != "" && p.st.syncedDigest == p.state.Digest
}

// triedLast reports whether what is desired is what the last operation is known to have applied.
func (p *pass) triedLast() bool {
	tried := p.st.triedDigest
	if last := p.next.Status.OperationState; tried == "" && last != nil { // by another process
		return strings.HasSuffix(infoOf(last.Operation, infoOperation), "-"+digestInName(p.state.Digest))
	}
	return tried == p.state.Digest
}

func (p *pass) selfHealBackoff() plan.SelfHealBackoff {
	s := p.rules.Settings.SelfHeal
	if s.Backoff == 0 {
		return plan.SelfHealBackoff{First: s.Timeout, Factor: 1, Cap: s.Timeout}
	}
	return plan.SelfHealBackoff{First: s.Backoff, Factor: int64(s.Factor), Cap: s.Cap}
}
