// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	rpccluster "github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
	"github.com/bowline-cd/bowline/internal/settings/declared"
)

func thing(c *v1alpha1.Cluster) string { return "cluster " + fault.RedactURL(c.Server) }

// Create declares a cluster that can be reached. One that is declared already and is the same is returned; with upsert it becomes
// as it was asked for.
func (s *Service) Create(ctx context.Context, request *rpccluster.ClusterCreateRequest) (*v1alpha1.Cluster, error) {
	c := request.Cluster
	if c == nil {
		return nil, fault.New(fault.Mistake, "declare", "a cluster", "cluster", "there is none in the request", "describe it")
	}
	c.Server = strings.TrimRight(c.Server, "/")
	if err := s.Gate.Enforce(ctx, right(access.Create, c.Project, c.Server)); err != nil {
		return nil, err
	}
	if c.Server == cluster.HubServer && !s.Settings().InCluster {
		return nil, fault.New(fault.Mistake, "declare", thing(c), "server", "the cluster that Bowline runs in has been disabled", "set cluster.inClusterEnabled in argocd-cm")
	}
	secret, err := declared.NewCluster(c)
	if err != nil {
		return nil, err
	}
	if err := s.reach(ctx, secret); err != nil {
		return nil, err
	}
	existing, err := s.exact(ctx, c.Server)
	if err != nil {
		return nil, err
	}
	if existing == nil || existing.secret == nil {
		if err := s.Hub.Create(ctx, thing(c), secret); err != nil {
			return nil, err
		}
		return s.answer(ctx, found{Cluster: c, secret: secret})
	}
	different := differing(existing.Cluster, c)
	switch {
	case len(different) == 0 && existing.broken == nil:
		return s.answer(ctx, *existing)
	case !request.Upsert:
		return nil, hub.Different("cluster", "it differs in "+strings.Join(different, ", "))
	}
	return s.Update(ctx, &rpccluster.ClusterUpdateRequest{Cluster: c})
}

// exact returns the cluster of a server; nil if there is none.
func (s *Service) exact(ctx context.Context, server string) (*found, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	if at := slices.IndexFunc(all, func(c found) bool { return c.Server == server }); at >= 0 {
		return &all[at], nil
	}
	return nil, nil
}

// reach asks the API server of a Secret for its version. The hub's own, without credentials, is reached anyway.
func (s *Service) reach(ctx context.Context, secret *corev1.Secret) error {
	config, err := cluster.ParseSecret(secret, s.Settings().ExecAllowed)
	if err != nil || config.REST == nil {
		return err
	}
	return s.ask(ctx, config.Server, config.REST)
}

// reachFor is how long an API server may take to say its version.
const reachFor = 15 * time.Second

func (s *Service) ask(ctx context.Context, server string, config *rest.Config) error {
	ctx, cancel := context.WithTimeout(ctx, reachFor)
	defer cancel()
	if _, err := s.Version(ctx, config); err != nil {
		return fault.Wrap(fault.Mistake, "reach", "cluster "+fault.RedactURL(server), err, "check the address and the credentials")
	}
	return nil
}

// differing names the fields in which what is declared of two clusters differs, and never what they hold.
func differing(a, b *v1alpha1.Cluster) []string {
	left, right := *a, *b
	if right.Name == "" {
		right.Name = right.Server
	}
	for _, c := range []*v1alpha1.Cluster{&left, &right} {
		c.Info, c.ConnectionState, c.ServerVersion, c.RefreshRequestedAt = v1alpha1.ClusterInfo{}, v1alpha1.ConnectionState{}, "", nil
		c.Labels, c.Annotations = none(c.Labels), none(c.Annotations)
	}
	var out []string
	l, r := reflect.ValueOf(left), reflect.ValueOf(right)
	for i := range l.NumField() {
		if !reflect.DeepEqual(l.Field(i).Interface(), r.Field(i).Interface()) {
			name, _, _ := strings.Cut(l.Type().Field(i).Tag.Get("json"), ",")
			out = append(out, name)
		}
	}
	return out
}

// none makes no entries nil.
func none(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}

// fields are those that an update may name, and how each is taken over.
var fields = map[string]func(to, from *v1alpha1.Cluster){
	"name":             func(to, from *v1alpha1.Cluster) { to.Name = from.Name },
	"namespaces":       func(to, from *v1alpha1.Cluster) { to.Namespaces = from.Namespaces },
	"config":           func(to, from *v1alpha1.Cluster) { to.Config = from.Config },
	"shard":            func(to, from *v1alpha1.Cluster) { to.Shard = from.Shard },
	"clusterResources": func(to, from *v1alpha1.Cluster) { to.ClusterResources = from.ClusterResources },
	"labels":           func(to, from *v1alpha1.Cluster) { to.Labels = from.Labels },
	"annotations":      func(to, from *v1alpha1.Cluster) { to.Annotations = from.Annotations },
	"project":          func(to, from *v1alpha1.Cluster) { to.Project = from.Project },
}

// Update replaces what is declared of a cluster: the fields that are named, or, if none is, all of it.
func (s *Service) Update(ctx context.Context, request *rpccluster.ClusterUpdateRequest) (*v1alpha1.Cluster, error) {
	given := request.Cluster
	if given == nil {
		return nil, fault.New(fault.Mistake, "write", "a cluster", "cluster", "there is none in the request", "describe it")
	}
	query := &rpccluster.ClusterQuery{Server: given.Server, ID: request.ID}
	if query.Server == "" {
		query.Name = given.Name
	}
	all, err := s.pick(ctx, access.Update, query)
	if err != nil {
		return nil, err
	}
	was := all[0]
	now, err := updated(was.Cluster, given, request.UpdatedFields)
	if err != nil {
		return nil, err
	}
	if now.Project != was.Project && s.Gate.Enforce(ctx, right(access.Update, now.Project, now.Server)) != nil {
		return nil, gate.Hidden()
	}
	test := len(request.UpdatedFields) == 0 || slices.Contains(request.UpdatedFields, "config")
	if err := s.write(ctx, was, now, test); err != nil {
		return nil, err
	}
	return s.answer(ctx, found{Cluster: now})
}

// updated returns a cluster with the fields that are named taken from given.
func updated(was, given *v1alpha1.Cluster, names []string) (*v1alpha1.Cluster, error) {
	if len(names) == 0 {
		whole := *given
		whole.Server, whole.RefreshRequestedAt = was.Server, was.RefreshRequestedAt
		return &whole, nil
	}
	now := *was
	for _, name := range names {
		take, ok := fields[name]
		if !ok {
			return nil, fault.New(fault.Mistake, "write", thing(was), "updatedFields", "there is no field "+name+" that can be updated", "name others")
		}
		take(&now, given)
	}
	return &now, nil
}

// write puts a cluster into its Secret, after asking its API server if that is to be.
func (s *Service) write(ctx context.Context, was found, now *v1alpha1.Cluster, test bool) error {
	trial, err := declared.NewCluster(now)
	if err == nil && test {
		err = s.reach(ctx, trial)
	}
	if err != nil {
		return err
	}
	if was.secret == nil {
		return s.Hub.Create(ctx, thing(now), trial)
	}
	secret := &corev1.Secret{}
	secret.Name = was.secret.Name
	return s.Hub.Change(ctx, thing(now), secret, func() error {
		if secret.ResourceVersion != was.secret.ResourceVersion {
			return fault.New(fault.Retry, "write", thing(now), "", "somebody wrote it since it was read", "try again")
		}
		if err := declared.Check(secret, declared.ClusterKind); err != nil {
			return err
		}
		return declared.WriteCluster(secret, now)
	})
}

// Delete takes back what is declared of the clusters that a query names. The hub's own cannot be deleted, only turned off.
func (s *Service) Delete(ctx context.Context, query *rpccluster.ClusterQuery) (*rpccluster.ClusterResponse, error) {
	all, err := s.pick(ctx, access.Delete, query)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.secret == nil {
			return nil, fault.New(fault.Mistake, "delete", thing(c.Cluster), "", "it is the cluster that Bowline runs in, which no Secret declares",
				"set cluster.inClusterEnabled to \"false\" in argocd-cm")
		}
		if err := s.Hub.Withdraw(ctx, thing(c.Cluster), c.secret); err != nil {
			return nil, err
		}
	}
	return &rpccluster.ClusterResponse{}, nil
}

// sweepFor bounds how long a caller waits for all objects of a cluster to be looked for anew; it goes on without them.
const sweepFor = 30 * time.Second

// InvalidateCache looks at everything in a cluster anew.
func (s *Service) InvalidateCache(ctx context.Context, query *rpccluster.ClusterQuery) (*v1alpha1.Cluster, error) {
	all, err := s.pick(ctx, access.Update, query)
	if err != nil {
		return nil, err
	}
	c := all[0]
	if c.secret != nil && c.broken == nil {
		// Other replicas, and Argo CD, see it by this mark.
		now := *c.Cluster
		at := metav1.NewTime(s.Hub.Clock.Now())
		now.RefreshRequestedAt = &at
		if err := s.write(ctx, c, &now, false); err != nil {
			return nil, err
		}
		c.Cluster = &now
	}
	connection, err := s.Connections.Find(v1alpha1.ApplicationDestination{Server: c.Server})
	if err != nil {
		return nil, err
	}
	connection.Refresh()
	sweep, cancel := context.WithTimeout(ctx, sweepFor)
	defer cancel()
	if _, err := connection.Sweep(sweep); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, fault.Wrap(fault.Retry, "look anew at", thing(c.Cluster), err, "try again")
	}
	return s.answer(ctx, c)
}
