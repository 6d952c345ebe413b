// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

func TestParseOptions(t *testing.T) {
	base := Options{PropagationPolicy: metav1.DeletePropagationForeground}
	tests := []struct {
		text string
		want func(*Options)
	}{
		{"CreateNamespace=true", func(o *Options) { o.CreateNamespace = true }},
		{"CreateNamespace=false", func(*Options) {}},
		{"ServerSideApply=true", func(*Options) {}},
		{"ServerSideApply=false", func(o *Options) { o.ClientSideApply = true }},
		{"ClientSideApplyMigration=false", func(o *Options) { o.KeepOtherManagers = true }},
		{"Replace=true", func(o *Options) { o.Replace = true }},
		{"Prune=false", func(o *Options) { o.Prune = DeleteNever }},
		{"Prune=confirm", func(o *Options) { o.Prune = DeleteConfirmed }},
		{"Delete=false", func(o *Options) { o.Delete = DeleteNever }},
		{"Delete=confirm", func(o *Options) { o.Delete = DeleteConfirmed }},
		{"PruneLast=true", func(o *Options) { o.PruneLast = true }},
		{"PrunePropagationPolicy=background", func(o *Options) { o.PropagationPolicy = metav1.DeletePropagationBackground }},
		{"PrunePropagationPolicy=orphan", func(o *Options) { o.PropagationPolicy = metav1.DeletePropagationOrphan }},
		{"ApplyOutOfSyncOnly=true", func(o *Options) { o.ApplyOutOfSyncOnly = true }},
		{"RespectIgnoreDifferences=true", func(o *Options) { o.RespectIgnoreDifferences = true }},
		{" Validate=false ", func(o *Options) { o.SkipValidation = true }},
		{"SkipDryRunOnMissingResource=true", func(o *Options) { o.SkipDryRunOnMissingResource = true }},
		{"FailOnSharedResource=true", func(o *Options) { o.FailOnSharedResource = true }},
	}
	for _, tt := range tests {
		want := base
		tt.want(&want)
		got, warnings := ParseOptions(v1alpha1.SyncOptions{tt.text})
		if got != want || len(warnings) > 0 {
			t.Errorf("%s: got %+v with warnings %q, want %+v", tt.text, got, warnings, want)
		}
	}
}

func TestObjectOptions(t *testing.T) {
	app, _ := ParseOptions(v1alpha1.SyncOptions{"Prune=false", "Delete=false", "Validate=false"})
	tests := []struct {
		reason        string
		annotations   map[string]string
		prune, delete Deletion
		unvalidated   bool
	}{
		{"nothing said", nil, DeleteNever, DeleteNever, true},
		{"said otherwise", map[string]string{v1alpha1.AnnotationSyncOptions: "Prune=true, Delete=confirm,Validate=true"}, DeleteFreely, DeleteConfirmed, false},
		{"the chart keeps it", map[string]string{v1alpha1.AnnotationKeyHelmResourcePolicy: "keep"}, DeleteNever, DeleteNever, true},
		{"said to the chart's word", map[string]string{v1alpha1.AnnotationKeyHelmResourcePolicy: "keep", v1alpha1.AnnotationSyncOptions: "Delete=true"}, DeleteNever, DeleteFreely, true},
	}
	for _, tt := range tests {
		got, warnings := app.For(&metav1.ObjectMeta{Annotations: tt.annotations})
		if got.Prune != tt.prune || got.Delete != tt.delete || got.SkipValidation != tt.unvalidated || len(warnings) > 0 {
			t.Errorf("%s: got %+v, warnings %q", tt.reason, got, warnings)
		}
	}
}

func TestForceIsSaidByObjects(t *testing.T) {
	app, warnings := ParseOptions(v1alpha1.SyncOptions{"Replace=true", "Force=true"})
	if app.Force || !app.Replace || len(warnings) != 1 || !strings.Contains(warnings[0], "whole application") {
		t.Errorf("of an application: %+v, %q", app, warnings)
	}
	got, warnings := app.For(&metav1.ObjectMeta{Annotations: map[string]string{v1alpha1.AnnotationSyncOptions: "Force=true"}})
	if !got.Force || len(warnings) > 0 {
		t.Errorf("of an object: %+v, %q", got, warnings)
	}
}

func TestAdopt(t *testing.T) {
	named := &metav1.ObjectMeta{Annotations: map[string]string{v1alpha1.AnnotationClientSideApplyMigrationManager: "ours-of-old"}}
	everyone, _ := ParseOptions(nil)
	nobody, _ := ParseOptions(v1alpha1.SyncOptions{"ClientSideApplyMigration=false"})
	if got := everyone.Adopt(named); !slices.Contains(got, "helm") || !slices.Contains(got, "argocd-controller") || !slices.Contains(got, "ours-of-old") {
		t.Errorf("got %q, want the usual programs and the one that is named", got)
	}
	if got := everyone.Adopt(&metav1.ObjectMeta{}); slices.Contains(got, "ours-of-old") {
		t.Errorf("a name given by one application is remembered for another: %q", got)
	}
	if got := nobody.Adopt(named); !slices.Equal(got, []string{"argocd-controller"}) {
		t.Errorf("got %q, want only what Argo CD wrote", got)
	}
}
