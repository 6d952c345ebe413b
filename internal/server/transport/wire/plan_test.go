// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"reflect"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/applicationset"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/certificate"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repocreds"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/version"
)

// served are the descriptions of every service that is offered.
var served = [][]*rpc.Method{
	account.AccountServiceMethods, application.ApplicationServiceMethods, applicationset.ApplicationSetServiceMethods,
	certificate.CertificateServiceMethods, cluster.ClusterServiceMethods, cluster.SettingsServiceMethods, project.ProjectServiceMethods,
	repocreds.RepoCredsServiceMethods, repository.RepositoryServiceMethods, session.SessionServiceMethods, version.VersionServiceMethods,
}

// eachMessage calls visit with the name and an empty value of every request and answer.
func eachMessage(visit func(name string, empty any)) {
	for _, methods := range served {
		for _, m := range methods {
			visit(m.RequestMessage, m.NewRequest())
			visit(m.ResponseMessage, m.NewResponse())
		}
	}
}

func TestEveryFieldOfEveryMessageHasItsGoField(t *testing.T) {
	seen := map[*plan]bool{}
	reached := map[string]bool{}
	var visit func(p *plan)
	visit = func(p *plan) {
		if seen[p] {
			return
		}
		seen[p], reached[p.message] = true, true
		if p.once.Do(p.make); p.err != nil {
			t.Error(p.err)
			return
		}
		used := map[string]string{}
		for _, s := range p.steps {
			if len(s.index) > 0 {
				where := p.typ.FieldByIndex(s.index).Name
				if other, taken := used[where]; taken {
					t.Errorf("%s: %s and %s are both the Go field %s", p.message, other, s.name, where)
				}
				used[where] = s.name
			}
			f := s.form
			if m, ok := f.(mapForm); ok {
				f = m.value
			}
			if m, ok := f.(messageForm); ok {
				visit(m.plan)
			}
		}
	}
	eachMessage(func(name string, empty any) { visit(lazily(name, reflect.TypeOf(empty).Elem())) })
	for name := range table() {
		if !reached[name] {
			t.Errorf("%s is in the table, but no served call holds it", name)
		}
	}
}
