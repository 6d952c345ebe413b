// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/server/application/index"
)

// List returns the applications that the caller may see and that the request chooses, sorted by name, or by what it asks for.
// Beyond Argo CD's it can be cut into pages by limit and continue, and searched.
func (s *Service) List(ctx context.Context, request *application.ApplicationQuery) (*v1alpha1.ApplicationList, error) {
	if err := s.filled(); err != nil {
		return nil, err
	}
	q, err := s.query(ctx, request)
	if err != nil {
		return nil, err
	}
	found := s.Index.Find(q)
	page, err := index.Cut(found.Hits, request.Sort, request.Continue, request.Limit)
	if err != nil {
		return nil, err
	}
	out := &v1alpha1.ApplicationList{ListMeta: listMeta(found, page, request.Limit > 0), Items: make([]v1alpha1.Application, len(page.Hits))}
	for i, h := range page.Hits {
		out.Items[i] = *s.form(ctx, h.App)
	}
	return out, nil
}

func listMeta(found index.Result, page index.Page, paged bool) metav1.ListMeta {
	meta := metav1.ListMeta{ResourceVersion: found.ResourceVersion, Continue: page.Continue}
	if paged && page.Remaining > 0 {
		meta.RemainingItemCount = &page.Remaining
	}
	return meta
}

// The sizes of pages of ListApplications.
const (
	usualPage   = 100
	largestPage = 1000
)

// ListApplications returns a page of the applications that the caller may see and that the request chooses, and how many there
// are of each kind.
func (s *Service) ListApplications(ctx context.Context, request *bowline.ApplicationsQuery) (*bowline.ApplicationsPage, error) {
	if err := s.filled(); err != nil {
		return nil, err
	}
	q, err := s.chosen(request)
	if err != nil {
		return nil, err
	}
	q.Sees, q.Judge = s.sees(ctx), s.judge()
	found := s.Index.Find(q)
	limit := request.Limit
	if limit <= 0 {
		limit = usualPage
	}
	page, err := index.Cut(found.Hits, request.Sort, request.Continue, min(limit, largestPage))
	if err != nil {
		return nil, err
	}
	out := &bowline.ApplicationsPage{
		ListMeta: listMeta(found, page, true), Total: int64(len(found.Hits)),
		Items: make([]v1alpha1.Application, len(page.Hits)), Facets: facetsOf(found.Facets),
	}
	for i, h := range page.Hits {
		out.Items[i] = *s.form(ctx, h.App)
	}
	return out, nil
}

// chosen turns a request into what the index is asked, but for what the caller may see.
func (s *Service) chosen(request *bowline.ApplicationsQuery) (*index.Query, error) {
	selector, err := selectorOf(request.Selector)
	if err != nil {
		return nil, err
	}
	names, err := index.Names(request.Names)
	if err != nil {
		return nil, err
	}
	return &index.Query{
		Names: names, AppNamespace: request.AppNamespace, Selector: selector, Words: index.Words(request.Search),
		Projects: request.Projects, Namespaces: request.Namespaces, Clusters: request.Clusters, Repos: request.Repos,
		Sync: request.Sync, Health: request.Health, Operation: request.Operation, AutoSync: request.AutoSync,
		Labels: request.Labels, Owners: request.Owners, Attention: request.Attention,
	}, nil
}

func facetsOf(found map[string][]index.FacetCount) map[string][]bowline.FacetCount {
	out := make(map[string][]bowline.FacetCount, len(found))
	for name, counts := range found {
		list := make([]bowline.FacetCount, len(counts))
		for i, c := range counts {
			list[i] = bowline.FacetCount(c)
		}
		out[name] = list
	}
	return out
}
