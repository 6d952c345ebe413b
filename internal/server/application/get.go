// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
)

// refreshTime bounds how long Get waits for a refresh that it was asked for.
const refreshTime = 3 * time.Minute

// Get returns an application. With refresh it has the controller look at its sources and its cluster first, and waits until
// that is done; hard forgets what was rendered before.
func (s *Service) Get(ctx context.Context, request *application.ApplicationQuery) (*v1alpha1.Application, error) {
	project, err := oneProject(request)
	if err != nil {
		return nil, err
	}
	app, err := s.load(ctx, access.Get, project, request.AppNamespace, request.Name)
	if err != nil {
		return nil, err
	}
	if request.Refresh != "" {
		if app, err = s.refreshed(ctx, app, request.Refresh); err != nil {
			return nil, err
		}
	}
	return s.form(ctx, app), nil
}

func oneProject(request *application.ApplicationQuery) (string, error) {
	projects := projectsOf(request)
	if len(projects) > 1 {
		return "", fault.New(fault.Mistake, "find", "application "+request.Name, "projects", "it names several projects", "name one, or none")
	}
	if len(projects) == 0 {
		return "", nil
	}
	return projects[0], nil
}

// refreshed asks for a refresh and returns the application as it is once that was served: the controller takes the request
// away when it has written what it found.
func (s *Service) refreshed(ctx context.Context, app *v1alpha1.Application, how string) (*v1alpha1.Application, error) {
	kind := v1alpha1.RefreshTypeNormal
	if how == string(v1alpha1.RefreshTypeHard) {
		kind = v1alpha1.RefreshTypeHard
	}
	key := types.NamespacedName{Namespace: app.Namespace, Name: app.Name}
	sub, _ := s.Index.Subscribe(&key, "")
	defer sub.Close()
	asked, err := client.Writer{From: s.Fresh, To: s.Hub}.Update(ctx, key, "refresh", func(*v1alpha1.Application) (client.Change, error) {
		return client.RefreshChange(kind, s.Clock.Now()), nil
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	for {
		if e := s.Index.Get(key.Namespace, key.Name); e != nil && e.Newer(asked.ResourceVersion) {
			if _, waits := e.App.Annotations[v1alpha1.AnnotationKeyRefresh]; !waits {
				return e.App, nil
			}
		}
		select {
		case <-sub.Wake:
			for _, e := range sub.Take() {
				if e.Deleted && e.App.UID == app.UID {
					return nil, gate.Hidden()
				}
			}
		case <-ctx.Done():
			return nil, fault.New(fault.Wait, "refresh", "application "+key.String(), "", "the controller has not served the request yet", "see whether a controller leads, then try again; the request stands")
		}
	}
}
