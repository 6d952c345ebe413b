// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"slices"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/server/gate"
)

// known is what a test says that the process knows.
type known struct{}

func (known) Process() bowline.State {
	return bowline.State{Version: "1", Leads: true, Checks: map[string]string{"clusters": "the hub is secret", "other": "ok"}, Settings: []string{"policy.csv: wrong"}}
}

func (known) Summaries() []Cluster {
	return []Cluster{
		{ClusterSummary: bowline.ClusterSummary{Server: "https://one"}},
		{ClusterSummary: bowline.ClusterSummary{Server: "https://two"}, Project: "team"},
	}
}

func (known) Troubles() []Repository {
	return []Repository{
		{RepositoryTrouble: bowline.RepositoryTrouble{Repo: "https://git/one"}},
		{RepositoryTrouble: bowline.RepositoryTrouble{Repo: "https://git/two"}, Project: "team"},
	}
}

func TestStateHasWhatTheCallerMaySee(t *testing.T) {
	tests := map[string]struct {
		csv                    string
		clusters, repositories []string
		settings               bool
	}{
		"nobody":       {"", nil, nil, false},
		"of a project": {"p, ann, clusters, get, team/*, allow\np, ann, repositories, get, team/*, allow", []string{"https://two"}, []string{"https://git/two"}, false},
		"of all":       {"p, ann, *, get, *, allow", []string{"https://one", "https://two"}, []string{"https://git/one", "https://git/two"}, true},
	}
	for who, tt := range tests {
		policy, problems := access.NewPolicy(map[string]string{"policy.csv": tt.csv})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		s := &Service{Gate: &gate.Gate{Roles: &gate.Rights{Policy: func() *access.Policy { return policy }, Project: func(string) *v1alpha1.AppProject { return nil }}}, Self: known{}}
		got, err := s.State(auth.With(context.Background(), auth.Caller{Kind: auth.SSO, Subject: "ann"}), &bowline.StateQuery{})
		if err != nil {
			t.Fatal(err)
		}
		var clusters, repositories []string
		for _, c := range got.Clusters {
			clusters = append(clusters, c.Server)
		}
		for _, r := range got.Repositories {
			repositories = append(repositories, r.Repo)
		}
		if !slices.Equal(clusters, tt.clusters) || !slices.Equal(repositories, tt.repositories) || (len(got.Settings) > 0) != tt.settings {
			t.Errorf("%s sees %v, %v, %v", who, clusters, repositories, got.Settings)
		}
		if told := got.Checks; (told["clusters"] == "the hub is secret") != tt.settings || told["other"] != "ok" {
			t.Errorf("%s sees the checks %v", who, told)
		}
		if !got.Leads || got.Version != "1" {
			t.Errorf("%s is not told of the process: %+v", who, got)
		}
	}
}
