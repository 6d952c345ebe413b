// SPDX-License-Identifier: Apache-2.0

// Package view writes one application for people: its summary, its conditions, its last operation, its resources.
package view

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/output"
)

// line writes one label with its value.
func line(w io.Writer, label, value string) { fmt.Fprintf(w, "%-20s%s\n", label, output.Clean(value)) }

// Show writes one application in the format.
func Show(w io.Writer, format output.Format, app *v1alpha1.Application) error {
	if ok, err := output.Encode(w, format, output.Application(*app)); ok {
		return err
	}
	if format == output.Name {
		fmt.Fprintln(w, app.Namespace+"/"+app.Name)
		return nil
	}
	Summary(w, app)
	Conditions(w, app)
	Operation(w, app)
	Resources(w, app)
	return nil
}

// Summary writes what an application is and how it stands.
func Summary(w io.Writer, app *v1alpha1.Application) {
	line(w, "Name:", app.Namespace+"/"+app.Name)
	line(w, "Project:", cmp.Or(app.Spec.Project, v1alpha1.DefaultAppProjectName))
	line(w, "Server:", cmp.Or(app.Spec.Destination.Server, app.Spec.Destination.Name))
	line(w, "Namespace:", app.Spec.Destination.Namespace)
	sources := client.Sources(app)
	if len(sources) == 1 {
		fmt.Fprintln(w, "Source:")
	} else {
		fmt.Fprintln(w, "Sources:")
	}
	for _, source := range sources {
		line(w, "- Repo:", source.RepoURL)
		line(w, "  Target:", cmp.Or(source.TargetRevision, "HEAD"))
		optional(w, "  Path:", source.Path)
		optional(w, "  Chart:", source.Chart)
		optional(w, "  Ref:", source.Ref)
	}
	line(w, "Sync Policy:", policy(app))
	line(w, "Sync Status:", SyncStatus(app))
	health := string(cmp.Or(app.Status.Health.Status, v1alpha1.HealthStatusUnknown))
	if app.Status.Health.Message != "" {
		health += " (" + app.Status.Health.Message + ")"
	}
	line(w, "Health Status:", health)
	waits(w, app)
}

func optional(w io.Writer, label, value string) {
	if value != "" {
		line(w, label, value)
	}
}

// policy says in words whether syncs come by themselves.
func policy(app *v1alpha1.Application) string {
	auto, prune := Automated(app)
	switch {
	case prune:
		return "Automated (Prune)"
	case auto:
		return "Automated"
	}
	return "Manual"
}

// Automated reports whether automated sync is on, and whether it prunes.
func Automated(app *v1alpha1.Application) (on, prune bool) {
	policy := app.Spec.SyncPolicy
	if policy == nil || policy.Automated == nil || policy.Automated.Enabled != nil && !*policy.Automated.Enabled {
		return false, false
	}
	return true, policy.Automated.Prune != nil && *policy.Automated.Prune
}

// SyncStatus says how the cluster compares to which revision. Without a comparison it is Unknown.
func SyncStatus(app *v1alpha1.Application) string {
	status := cmp.Or(app.Status.Sync.Status, v1alpha1.SyncStatusCodeUnknown)
	sources, revision := client.Sources(app), app.Status.Sync.Revision
	if all := app.Status.Sync.Revisions; len(all) == 1 {
		revision = all[0] // of a list of one source
	}
	if len(sources) != 1 || revision == "" || status == v1alpha1.SyncStatusCodeUnknown {
		return string(status)
	}
	word := map[v1alpha1.SyncStatusCode]string{v1alpha1.SyncStatusCodeSynced: "to", v1alpha1.SyncStatusCodeOutOfSync: "from"}[status]
	return fmt.Sprintf("%s %s %s", status, word, Revision(sources[0].TargetRevision, revision))
}

// Revision writes a target revision and what it was resolved to.
func Revision(target, resolved string) string {
	target = cmp.Or(target, "HEAD")
	if target == resolved {
		return resolved
	}
	return fmt.Sprintf("%s (%s)", target, short(resolved))
}

func short(revision string) string {
	if len(revision) == 40 && strings.Trim(revision, "0123456789abcdef") == "" {
		return revision[:7]
	}
	return revision
}

// Conditions writes the conditions, if there are any.
func Conditions(w io.Writer, app *v1alpha1.Application) {
	if len(app.Status.Conditions) == 0 {
		return
	}
	var rows [][]string
	for _, c := range app.Status.Conditions {
		rows = append(rows, []string{string(c.Type), oneLine(c.Message), Time(c.LastTransitionTime)})
	}
	fmt.Fprintln(w)
	output.Table(w, []string{"CONDITION", "MESSAGE", "LAST TRANSITION"}, rows)
}

// Operation writes the running or last operation, if there is one.
func Operation(w io.Writer, app *v1alpha1.Application) {
	state := app.Status.OperationState
	if state == nil {
		return
	}
	fmt.Fprintln(w)
	if state.Operation.Sync != nil {
		line(w, "Operation:", "Sync")
		if result := state.SyncResult; result != nil {
			line(w, "Sync Revision:", cmp.Or(result.Revision, strings.Join(result.Revisions, ", ")))
		}
	}
	line(w, "Phase:", string(state.Phase))
	line(w, "Start:", Time(&state.StartedAt))
	line(w, "Finished:", Time(state.FinishedAt))
	if state.FinishedAt != nil {
		line(w, "Duration:", state.FinishedAt.Sub(state.StartedAt.Time).Round(time.Second).String())
	}
	if state.RetryCount > 0 {
		line(w, "Retries:", fmt.Sprint(state.RetryCount))
	}
	optional(w, "Message:", oneLine(state.Message))
}

// Time writes a time as people read it; "" if there is none.
func Time(t *metav1.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 -0700 MST")
}

// oneLine keeps a message inside its cell.
func oneLine(message string) string {
	return output.Clean(strings.Join(strings.Fields(message), " "))
}
