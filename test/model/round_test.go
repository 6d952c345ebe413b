// SPDX-License-Identifier: Apache-2.0

package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/bowline-cd/bowline/test/devcluster"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// round is some scenarios that one program, or two of which one leads, syncs at once.
type round struct {
	t         testing.TB
	name      string
	supersede string // the setting
	maker     maker
	kills     int
	cluster   *devcluster.Cluster
	client    dynamic.Interface
	recorder  *recorder
	programs  []*program
	scenarios []*scenario
	repos     []*gitserver.Repo

	mu      sync.Mutex
	current map[string]int            // the newest commit of each scenario
	commits map[string]map[string]int // by the revision of Git: that of each scenario
}

// patience is for what never comes.
const patience = 10 * time.Minute

// newRound makes a round out of a seed.
func newRound(t testing.TB, name string, seed uint64, size int) *round {
	m := maker{rand.New(rand.NewPCG(seed, seed))}
	r := &round{
		t: t, name: name, maker: m, cluster: devcluster.Shared(t), current: map[string]int{}, commits: map[string]map[string]int{},
		supersede: pick(m, "await-hooks", "await-hooks", "await-hooks", "end-hooks", "never"), kills: m.IntN(6),
	}
	for i := range size {
		s := m.scenario(fmt.Sprintf("%sx%02d", name, i), r.supersede != "never")
		r.scenarios = append(r.scenarios, &s)
	}
	for i := range 1 + m.IntN(2) {
		r.programs = append(r.programs, &program{name: string(rune('a' + i)), namespace: name + "-cd", dir: t.TempDir()})
	}
	return r
}

// run runs the round and returns what is against the rules, by scenario.
func (r *round) run(ctx context.Context) (map[string][]string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it did not come to an end within %s", patience))
	defer cancel()
	defer r.kill()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var err error
	if r.recorder, err = record(watching, r.client, r.name, r.name+"-cd"); err != nil {
		return nil, err
	}
	err = r.live(ctx)
	if err == nil {
		err = r.recorder.whole(ctx, r.name)
	}
	stop()
	r.recorder.done.Wait()
	problems := map[string][]string{}
	for _, s := range r.scenarios {
		history, bad := r.recorder.history(s.name, r.commitOf(s.name))
		if bad != nil {
			return nil, bad
		}
		problems[s.name] = check(s, history, r.supersede == "end-hooks")
	}
	return problems, err
}

// prepare makes the places of the round and starts the programs.
func (r *round) prepare(ctx context.Context) error {
	var err error
	if r.client, err = dynamic.NewForConfig(r.cluster.RESTConfig()); err != nil {
		return err
	}
	git, err := gitserver.Start(gitserver.Options{})
	if err != nil {
		return err
	}
	r.t.Cleanup(git.Close)
	for i := range 3 {
		repo, err := git.Create(fmt.Sprint("infra", i))
		if err != nil {
			return err
		}
		r.repos = append(r.repos, repo)
	}
	core := r.cluster.Client().CoreV1()
	for _, ns := range []string{r.name, r.name + "-cd"} {
		if _, err := core.Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{}); err != nil {
			return err
		}
		r.t.Cleanup(func() { r.remove(ns) })
	}
	for name, data := range map[string]map[string]string{
		"argocd-cmd-params-cm": {"controller.sync.wave.delay.seconds": "0"},
		"argocd-cm":            {"bowline.supersede": r.supersede, "bowline.sync.waveTimeout": "1m", "bowline.sync.hookTimeout": "5m"},
	} {
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app.kubernetes.io/part-of": "argocd"}}, Data: data}
		if _, err := core.ConfigMaps(r.name+"-cd").Create(ctx, cm, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	for _, p := range r.programs {
		p.kubeconfig = filepath.Join(p.dir, "kubeconfig")
		if err := identity(r.cluster.Kubeconfig(), p.kubeconfig, r.name+"/"+p.name); err != nil {
			return err
		}
		if err := p.start(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *round) remove(namespace string) {
	err := r.cluster.Client().CoreV1().Namespaces().Delete(context.Background(), namespace, metav1.DeleteOptions{})
	if err != nil {
		r.t.Errorf("deleting namespace %s: %v", namespace, err)
	}
}

// live lets all scenarios happen, and kills programs in between.
func (r *round) live(ctx context.Context) error {
	alive, over := context.WithCancel(ctx)
	killed := make(chan error, 1)
	moments := rand.New(rand.NewPCG(r.maker.Uint64(), 1))
	go func() { killed <- r.chaos(alive, moments) }()
	var all sync.WaitGroup
	ends := make([]error, len(r.scenarios))
	for i, s := range r.scenarios {
		all.Go(func() {
			if err := r.play(ctx, s, r.repos[i%len(r.repos)]); err != nil {
				ends[i] = fmt.Errorf("%s: %w", s.name, err)
			}
		})
	}
	all.Wait()
	over()
	if err := <-killed; err != nil {
		ends = append(ends, err)
	}
	return errors.Join(ends...)
}

// play makes the commits of a scenario, each at its moment, and waits for the end.
func (r *round) play(ctx context.Context, s *scenario, repo *gitserver.Repo) error {
	for i := range s.commits {
		if i > 0 {
			r.awaitMoment(ctx, s, i)
		}
		if err := r.commit(ctx, s, i, repo); err != nil {
			return err
		}
		if i == 0 {
			if _, err := r.client.Resource(applications).Namespace(r.name+"-cd").Create(ctx, s.application(r.name, repo.URL), metav1.CreateOptions{}); err != nil {
				return err
			}
		}
	}
	return r.recorder.await(ctx, func() bool { return r.atRest(s) })
}

// awaitMoment waits for the moment of a commit: so many events after the one before, or when nothing happens any more.
func (r *round) awaitMoment(ctx context.Context, s *scenario, i int) {
	soon, cancel := context.WithTimeout(ctx, 6*time.Second)
	defer cancel()
	from := -1
	// What ends the wait early is no verdict: any moment is a good one.
	_ = r.recorder.await(soon, func() bool {
		if from < 0 {
			from = len(r.recorder.seen[s.name])
		}
		return len(r.recorder.seen[s.name])-from >= s.commits[i].after
	})
}

// commit makes a commit and tells the programs of it.
func (r *round) commit(ctx context.Context, s *scenario, i int, repo *gitserver.Repo) error {
	files, err := s.files(i)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now, err := r.cluster.Client().CoreV1().Namespaces().List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return err
	}
	change := gitserver.Change{Message: fmt.Sprintf("%s: commit %d", s.name, i), Files: files}
	if i > 0 {
		change.Delete = []string{s.name}
	}
	s.commits[i].since = parse(now.ResourceVersion)
	sha, err := repo.Commit(change)
	if err != nil {
		return err
	}
	r.current[s.name] = i
	r.commits[sha] = maps.Clone(r.current)
	r.tell(ctx, repo, sha)
	return nil
}

// tell tells the programs of a push, as GitHub does. One that is dead looks when it starts.
func (r *round) tell(ctx context.Context, repo *gitserver.Repo, sha string) {
	body, err := json.Marshal(fields{"ref": "refs/heads/main", "before": strings.Repeat("0", 40), "after": sha,
		"repository": fields{"clone_url": repo.URL, "html_url": strings.TrimSuffix(repo.URL, ".git"), "default_branch": "main"}})
	if err != nil {
		panic(err)
	}
	for _, p := range r.programs {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://%s/api/webhook", p.address.Load()), bytes.NewReader(body))
		if err != nil {
			panic(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("X-Github-Event", "push")
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_ = answer.Body.Close()
		}
	}
}

// commitOf tells which commit of a scenario a revision of Git is about.
func (r *round) commitOf(app string) func(sha string) int {
	return func(sha string) int {
		r.mu.Lock()
		defer r.mu.Unlock()
		if n, ok := r.commits[sha][app]; ok {
			return n
		}
		return -1
	}
}

// atRest reports whether nothing is left to happen of a scenario, well or badly. The recorder's lock is held.
func (r *round) atRest(s *scenario) bool {
	app := r.recorder.latest[key("Application", s.name)]
	if app.object == nil {
		return false
	}
	last := len(s.commits) - 1
	status := readStatus(app.object, r.commitOf(s.name))
	if (status.phase == "Failed" || status.phase == "Error") && status.commit == last {
		return true // it would not begin again by itself
	}
	if status.phase != "Succeeded" || status.sync != "Synced" || status.commit != last || status.compared != last {
		return false
	}
	for _, seen := range r.recorder.latest {
		if seen.gone || !strings.HasPrefix(seen.object.GetName(), s.name+"-") {
			continue
		}
		e, err := read(seen.object, false, r.commitOf(s.name))
		if err != nil || e.deleting || e.finalizer {
			return false
		}
		if t := s.commits[last].find(e.kind, e.thing); t != nil && t.has(succeeded) && t.hook() && e.version == last {
			return false
		}
	}
	return true
}

// chaos kills programs at random moments and starts them again.
func (r *round) chaos(ctx context.Context, random *rand.Rand) error {
	for range r.kills {
		after, count := 1+random.IntN(60), -1
		err := r.recorder.await(ctx, func() bool {
			if count < 0 {
				count = r.recorder.count
			}
			return r.recorder.count-count >= after
		})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		p := r.programs[random.IntN(len(r.programs))]
		if err := r.again(context.WithoutCancel(ctx), p, random.IntN(4) == 0); err != nil {
			return err
		}
	}
	return nil
}

// again ends a program, with SIGKILL unless it is to end well, and starts it anew. The next one to lead need not wait for
// the lead of a dead one to run out.
func (r *round) again(ctx context.Context, p *program, well bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("a program did not start again"))
	defer cancel()
	led := p.leads()
	if well {
		if err := p.end(ctx, syscall.SIGTERM); err != nil {
			return err
		}
	} else {
		if err := p.end(ctx, syscall.SIGKILL); err != nil {
			return err
		}
		if led {
			leases := r.cluster.Client().CoordinationV1().Leases(r.name + "-cd")
			if err := leases.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
				return err
			}
		}
	}
	return p.start(ctx)
}

func (r *round) kill() {
	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Minute, errors.New("killing takes no time"))
	defer cancel()
	for _, p := range r.programs {
		if err := p.end(ctx, syscall.SIGKILL); err != nil {
			r.t.Error(err)
		}
		text, err := p.text()
		if at := bytes.Index(text, []byte("WARNING: DATA RACE")); err == nil && at >= 0 {
			r.t.Errorf("bowline %s has a data race:\n%.8000s", p.name, text[at:])
		}
	}
}

// application returns the Application of a scenario.
func (s *scenario) application(namespace, repo string) *unstructured.Unstructured {
	options := []any{}
	for _, o := range s.options {
		options = append(options, o)
	}
	return &unstructured.Unstructured{Object: fields{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": fields{"name": s.name},
		"spec": fields{
			"project": "default", "source": fields{"repoURL": repo, "targetRevision": "main", "path": s.name},
			"destination": fields{"server": "https://kubernetes.default.svc", "namespace": namespace},
			"syncPolicy": fields{
				"automated": fields{"prune": true, "selfHeal": s.selfHeal}, "syncOptions": options,
				"retry": fields{"limit": int64(s.retries), "backoff": fields{"duration": "1s", "factor": int64(1)}},
			},
		},
	}}
}
