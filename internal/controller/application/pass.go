// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
)

// pass is one reconcile of one application: what it found, and the status it is about to write.
type pass struct {
	*Controller
	st    *appState
	app   *v1alpha1.Application // as it is
	next  *v1alpha1.Application // as it will be
	rules *Rules
	now   metav1.Time
	log   *slog.Logger

	found       findings
	wrong       []Wrong // what of it is about fields of the spec
	cluster     *cluster.Cluster
	project     *access.Project
	target      desired.Target
	state       *desired.State // what is desired, nil if that is not known
	unreachable bool           // state is the standing one: the repository does not answer
	unserved    kinds          // that are desired and were not served when the objects were made
	compared    bool           // rows are about state and cluster
	complete    bool           // nothing of ours in the cluster is unknown

	acts    bool // what is decided may be written
	refresh v1alpha1.RefreshType
	urgent  bool                    // what waited in the slow lane is due
	waiting string                  // why the inventory is not complete
	nobody  string                  // why nothing may be sent to the destination: there is no account to do it as
	denied  string                  // why the windows of the project permit no sync by itself
	held    string                  // why a hold keeps what is desired from being applied by itself
	unheld  string                  // why a hold ended in this pass
	awaits  string                  // which application has to be ready first, and why it is not
	code    v1alpha1.SyncStatusCode // what this pass found

	resumes     v1alpha1.ResourceResults // what the record says of a try that was cut off
	reports     *operation               // whose progress is in the next status
	reported    int                      // how much of it
	took        *taken                   // what is lost if this pass fails
	launch      *operation               // to be started once the status that announces it is written
	guard       bool                     // the write must fail if somebody else wrote meanwhile
	finished    bool                     // an operation came to its end, or to a pause, in this pass
	takesOver   bool                     // a newer revision goes on with the operation
	keepHistory bool                     // the history has a new entry
	again       time.Duration
}

// requeue makes the next pass come no later than d from now.
func (p *pass) requeue(d time.Duration) {
	if d > 0 && (p.again == 0 || d < p.again) {
		p.again = d
	}
}

// run is the whole of a reconcile, in its order.
func (p *pass) run(ctx context.Context) error {
	p.refresh = v1alpha1.RefreshType(p.app.Annotations[v1alpha1.AnnotationKeyRefresh])
	p.expire()
	p.record(p.st.takeFinished())
	p.report()
	p.admit(ctx)
	p.want(ctx)
	p.keepFinalizers()
	p.compare(ctx)
	if p.compared {
		p.seekOrphans(ctx)
	}
	p.fold()
	p.gates(ctx)
	p.operate(ctx)
	return p.write(ctx)
}

// expire forgets now and then what was rendered and compared, if timeout.hard.reconciliation asks for that.
func (p *pass) expire() {
	every := p.rules.Settings.HardInterval
	if every <= 0 {
		return
	}
	now := p.Clock.Now()
	if p.st.freshAt.IsZero() {
		p.st.freshAt = now
	}
	left := every - now.Sub(p.st.freshAt)
	if left <= 0 {
		p.st.freshAt, left = now, every
		p.startAfresh()
	}
	p.requeue(left)
}

// startAfresh forgets what was rendered and compared.
func (p *pass) startAfresh() {
	p.Engine.Afresh(p.st.id)
	p.st.table.clear()
	p.st.touch()
}

// admit finds the project and the cluster, and asks the project. What is wrong is told together, as far as it can be known.
func (p *pass) admit(ctx context.Context) {
	sources := desired.SourcesOf(p.app)
	if len(sources) == 0 {
		p.invalid("spec.source", errors.New(noSource(p.app)))
	}
	if p.app.Spec.Destination.Server != "" && p.app.Spec.Destination.Name != "" {
		p.invalid("spec.destination", errors.New("spec.destination has both server and name: keep one of them"))
		return
	}
	if ns := p.app.Spec.Destination.Namespace; ns != "" && len(validation.IsDNS1123Label(ns)) > 0 {
		p.invalid("spec.destination.namespace",
			fmt.Errorf("spec.destination.namespace: no namespace can be named %q: write lower case letters, digits and -", ns))
	}
	c, clusterErr := p.Clusters.Find(p.app.Spec.Destination)
	if clusterErr != nil {
		p.invalid("spec.destination", clusterErr)
	}
	project, version, err := p.projectOf(ctx, p.app)
	if err != nil {
		p.invalid("spec.project", err)
		return
	}
	for i, s := range sources {
		if s.RepoURL == "" {
			p.invalid(repoField(p.app, i), errors.New(repoField(p.app, i)+" is empty: set it to the address of a repository"))
			continue
		}
		if err := project.Source(s.RepoURL); err != nil {
			p.invalid(repoField(p.app, i), err)
		}
	}
	if clusterErr != nil {
		return
	}
	if err := project.Destination(destinationOf(p.app, c)); err != nil {
		p.invalid("spec.destination", err)
	}
	p.cluster, p.project = c, project
	p.target = p.targetFor(project, version, c)
}

// Wrong is what is wrong with a field of an application.
type Wrong struct {
	Field string
	Err   error
}

// invalid takes down what is wrong with a field.
func (p *pass) invalid(field string, err error) {
	p.wrong = append(p.wrong, Wrong{field, err})
	p.found.add(v1alpha1.ApplicationConditionInvalidSpecError, err.Error())
}

// noSource says what an application without sources lacks.
func noSource(app *v1alpha1.Application) string {
	if app.Spec.SourceHydrator != nil {
		return "spec.sourceHydrator is not served by this version of Bowline: set spec.source to the branch and path that hold the rendered manifests"
	}
	return "spec.source is missing: set spec.source.repoURL and spec.source.path"
}

func repoField(app *v1alpha1.Application, i int) string {
	if len(app.Spec.Sources) > 0 {
		return fmt.Sprintf("spec.sources[%d].repoURL", i)
	}
	return "spec.source.repoURL"
}

func destinationOf(app *v1alpha1.Application, c *cluster.Cluster) access.Destination {
	cfg := c.Config()
	return access.Destination{Server: cfg.Server, Name: cfg.Name, Namespace: app.Spec.Destination.Namespace}
}

// permitted reports whether project and destination let anything be done.
func (p *pass) permitted() bool {
	return p.cluster != nil && !p.found.has(v1alpha1.ApplicationConditionInvalidSpecError)
}

// want gets the desired state. The repository is followed whether that succeeds or not: its next answer is what mends
// most errors.
func (p *pass) want(ctx context.Context) {
	if !p.permitted() {
		return
	}
	p.follow(p.Engine.Peek(p.st.id))
	if p.refresh != "" {
		p.refreshSources(ctx)
	}
	state, err := p.Engine.For(ctx, p.st.id, p.app, p.target)
	var unreachable *desired.UnreachableError
	switch {
	case errors.As(err, &unreachable):
		p.stand(state, unreachable)
	case err != nil:
		p.st.unreachableSince = time.Time{}
		p.found.fail(err)
		p.requeue(p.failures.next(p.st.id))
	default:
		p.st.unreachableSince = time.Time{}
		p.failures.forget(p.st.id)
		p.state = state
	}
	if p.state == nil {
		return
	}
	p.follow(p.state)
	if !p.st.pinned && len(p.app.Status.History) > 0 {
		p.st.pinned = true // an earlier process did, of which nobody else knows
		p.pinHistory(p.app)
	}
	for _, w := range p.state.Warnings {
		p.found.add(w.Type, w.Message)
	}
	for _, o := range p.state.Objects {
		if o.Refused != nil {
			p.found.add(v1alpha1.ApplicationConditionInvalidSpecError, o.Refused.Error()+" ("+o.Origin.String()+")")
		}
	}
}

// stand goes on with the last resolved source set. It is an error to people only when the grace period is over: a
// repository that misses one poll is no news. What does not pass by itself, such as a refused password, is told at once.
func (p *pass) stand(state *desired.State, err *desired.UnreachableError) {
	p.unreachable = true
	p.state = state
	if p.st.unreachableSince.IsZero() {
		p.st.unreachableSince = p.Clock.Now()
	}
	grace := p.rules.Settings.RepoErrorGrace
	left := grace - p.Clock.Since(p.st.unreachableSince)
	if state != nil && left > 0 && fault.Is(err, fault.Retry) {
		p.requeue(left)
		return
	}
	message := err.Error()
	if state != nil {
		message += "; what was last resolved, " + describeCommits(state.Commits) + ", stays in force"
	}
	p.found.add(v1alpha1.ApplicationConditionComparisonError, message)
	p.requeue(p.failures.next(p.st.id))
}

func describeCommits(commits []desired.Commit) string {
	text := ""
	for i, c := range commits {
		if i > 0 {
			text += ", "
		}
		text += shortCommit(c.ID)
	}
	return text
}

// shortCommit shortens what is long: a commit, or the digest of an artifact. A chart's version is read as a whole.
func shortCommit(id string) string {
	const n = 7
	if hex, ok := strings.CutPrefix(id, "sha256:"); ok {
		return "sha256:" + hex[:min(n, len(hex))]
	}
	if strings.Trim(id, "0123456789abcdef") == "" && len(id) > n {
		return id[:n]
	}
	return id
}

// follow tells the poller which revisions this application is about.
func (p *pass) follow(state *desired.State) {
	var follows []Followed
	project := desired.ProjectOf(p.app)
	for _, s := range desired.SourcesOf(p.app) {
		follows = append(follows, Followed{Wanted: desired.WantedOf(s, project), TagPrefix: s.TagPrefix})
	}
	if state != nil {
		for _, remote := range state.Remotes {
			follows = append(follows, Followed{Wanted: remote.Wanted()})
		}
	}
	p.Poller.Want(p.st.id, follows)
}

// refreshSources serves a refresh request: the repository is asked now, and a hard one forgets what was rendered and
// compared.
func (p *pass) refreshSources(ctx context.Context) {
	if p.refresh == v1alpha1.RefreshTypeHard {
		p.startAfresh()
	}
	p.st.touch()
	if err := p.Poller.Refresh(ctx, p.st.id); err != nil {
		p.log.Debug("refresh", "error", err) // For says the same as a condition
	}
}

// fold writes what the rows say into the next status.
func (p *pass) fold() {
	status := &p.next.Status
	p.code = v1alpha1.SyncStatusCodeUnknown
	if !p.compared {
		// Nothing was compared: what was known of health stands, the verdict does not.
		setSync(status, p.app, v1alpha1.SyncStatusCodeUnknown, nil)
		if status.Health.Status == "" || p.cluster == nil {
			setHealth(status, v1alpha1.HealthStatusUnknown, "", p.now)
		}
		return
	}
	f := p.st.table.fold(p.complete)
	code := f.sync
	if p.found.has(v1alpha1.ApplicationConditionInvalidSpecError) && code == v1alpha1.SyncStatusCodeSynced {
		code = v1alpha1.SyncStatusCodeUnknown
	}
	if code == v1alpha1.SyncStatusCodeSynced && namespaceMetadataChanged(p.app.Spec.SyncPolicy, status.OperationState) {
		code = v1alpha1.SyncStatusCodeOutOfSync
	}
	p.code = code
	if p.settling() {
		return
	}
	setSync(status, p.app, code, p.state)
	setHealth(status, f.health, f.message, p.now)
	status.Resources = f.resources
	status.Summary.Images, status.Summary.IsAppOfApps = f.images, f.appOfApps
	status.ResourceHealthSource = v1alpha1.ResourceHealthLocationAppTree
	if p.rules.Settings.PersistHealth {
		status.ResourceHealthSource = v1alpha1.ResourceHealthLocationInline
	}
	status.ControllerNamespace = p.Namespace
}

// settleTime is how long after its first look at an application a process may take to learn what its cluster holds.
const settleTime = 30 * time.Second

// settling reports whether nothing is known yet because this process has only just begun to look. What the status says
// of its own, older comparison stands for that moment: a restart is no news, and would otherwise be two for every
// application. Whoever asked for a look, or waits for the end of a sync, is not answered by what was found before.
func (p *pass) settling() bool {
	if p.refresh != "" || p.finished {
		return false
	}
	left := settleTime - p.Clock.Since(p.st.seenAt)
	if p.code != v1alpha1.SyncStatusCodeUnknown || p.waiting == "" || left <= 0 {
		return false
	}
	p.requeue(left)
	return true
}
