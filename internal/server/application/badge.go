// SPDX-License-Identifier: Apache-2.0

package application

import (
	"cmp"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/server/application/index"
)

//go:embed badge.svg
var badgeText string

var badgeTemplate = template.Must(template.New("badge").Parse(badgeText))

// badge is what the picture shows: two or three fields beside each other, and a title above them.
type badge struct {
	Left, Right, Revision, Title               string
	LeftColor, RightColor                      string
	Width, Height, Row, RightWidth             int
	RevisionAt, RevisionWidth                  int
	LeftMiddle, RightMiddle, RevisionMiddle, Y int
}

// Measures of the picture, as Argo CD's has them.
const (
	badgeWidth         = 131
	badgeRevisionWidth = 192
	badgeFullWidth     = 400
	badgeLeft          = 77
	badgeRow           = 20
	badgeLetter        = 6
	badgeShortRevision = 7
	badgeMostWidth     = 2000
)

// ServeBadge answers GET /api/badge: a picture of the health and the sync status of one application (name, namespace) or of all
// of some projects (project), for pages elsewhere. Nobody has to sign in, so it is only there where statusbadge.enabled says so;
// else, and for what there is not, it says that nothing is known.
func (s *Service) ServeBadge(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if !nameable(query["name"], validation.IsDNS1123Subdomain) || !nameable(query["namespace"], validation.IsDNS1123Label) ||
		!nameable(query["project"], validation.IsDNS1123Subdomain) {
		http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
		return
	}
	b := badge{Left: string(v1alpha1.HealthStatusUnknown), Right: string(v1alpha1.SyncStatusCodeUnknown)}
	revision := ""
	if s.Settings().Showing.Badge && s.Filled() {
		switch name, namespace := query.Get("name"), cmp.Or(query.Get("namespace"), s.Home); {
		case name != "":
			revision = s.badgeOfOne(&b, namespace, name)
		case query.Has("project"):
			s.badgeOfMany(&b, query["project"], namespace)
		}
		if query.Get("revision") != "true" {
			revision = ""
		}
		if query.Get("showAppName") == "true" && b.Right != "" {
			b.Title = query.Get("name")
		}
	}
	if query.Get("keepFullRevision") != "true" && len(revision) > badgeShortRevision {
		revision = revision[:badgeShortRevision]
	}
	width, _ := strconv.Atoi(query.Get("width"))
	b.measure(revision, width)
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if err := badgeTemplate.Execute(w, b); err != nil {
		s.Log.Debug("a badge could not be sent", "error", err)
	}
}

// nameable reports whether all values are "" or names: they are shown to whoever looks at the picture.
func nameable(values []string, problems func(string) []string) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return v != "" && len(problems(strings.ToLower(v))) > 0 })
}

// badgeOfOne fills in what is known of an application, and returns the revision that was last synced.
func (s *Service) badgeOfOne(b *badge, namespace, name string) (revision string) {
	e := s.Index.Get(namespace, name)
	if e == nil || !s.Served(namespace) {
		b.Left, b.Right = "Not Found", ""
		return ""
	}
	b.Left = cmp.Or(string(e.App.Status.Health.Status), b.Left)
	b.Right = cmp.Or(string(e.App.Status.Sync.Status), b.Right)
	if op := e.App.Status.OperationState; op != nil && op.SyncResult != nil {
		if len(op.SyncResult.Revisions) > 0 {
			return op.SyncResult.Revisions[0]
		}
		return op.SyncResult.Revision
	}
	return ""
}

// badgeOfMany says whether all applications of some projects are well.
func (s *Service) badgeOfMany(b *badge, projects []string, namespace string) {
	all, _ := s.Index.All()
	all = slices.DeleteFunc(all, func(e *index.Entry) bool {
		return e.App.Namespace != namespace || !slices.Contains(projects, e.Project) || !s.Served(namespace)
	})
	if len(all) == 0 {
		return
	}
	b.Left, b.Right = string(v1alpha1.HealthStatusHealthy), string(v1alpha1.SyncStatusCodeSynced)
	for _, e := range all {
		if e.App.Status.Health.Status != v1alpha1.HealthStatusHealthy {
			b.Left = string(v1alpha1.HealthStatusDegraded)
		}
		if e.App.Status.Sync.Status != v1alpha1.SyncStatusCodeSynced {
			b.Right = string(v1alpha1.SyncStatusCodeOutOfSync)
		}
	}
}

var badgeColors = map[string]string{
	string(v1alpha1.HealthStatusHealthy): "#18be94", string(v1alpha1.HealthStatusProgressing): "#0dadea", string(v1alpha1.HealthStatusDegraded): "#e96d76",
	string(v1alpha1.HealthStatusSuspended): "#766f94", string(v1alpha1.HealthStatusMissing): "#f4c030",
	string(v1alpha1.SyncStatusCodeSynced): "#18be94", string(v1alpha1.SyncStatusCodeOutOfSync): "#f4c030",
}

// measure places everything; width is what was asked for, 0 for nothing.
func (b *badge) measure(revision string, width int) {
	const grey = "#b8b8b8"
	b.LeftColor, b.RightColor = cmp.Or(badgeColors[b.Left], grey), cmp.Or(badgeColors[b.Right], grey)
	b.Width, b.Height, b.Row = badgeWidth, badgeRow, 0
	switch {
	case len(revision) > badgeShortRevision:
		b.Width = badgeFullWidth
	case revision != "":
		b.Width = badgeRevisionWidth
	}
	if width > 0 {
		b.Width = min(max(width, badgeWidth), badgeMostWidth)
	}
	if b.Title != "" {
		b.Height, b.Row = 2*badgeRow, badgeRow
		b.Width = min(max(b.Width, badgeLetter*len(b.Title)), badgeMostWidth)
	}
	b.RightWidth = b.Width - badgeLeft
	if revision != "" {
		b.Revision = "(" + revision + ")"
		b.RightWidth = badgeWidth - badgeLeft
		b.RevisionAt, b.RevisionWidth = badgeWidth, b.Width-badgeWidth
		b.RevisionMiddle = b.RevisionAt + b.RevisionWidth/2
	}
	const logo = 22
	b.LeftMiddle, b.RightMiddle, b.Y = (logo+badgeLeft)/2, badgeLeft+b.RightWidth/2, b.Row+14
}
