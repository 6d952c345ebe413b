// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/diff"
)

// Deletion says whether something may be deleted.
type Deletion int

// The answers. An object's annotation beats the application's option.
const (
	DeleteFreely Deletion = iota
	DeleteNever
	DeleteConfirmed // after a person has approved it
)

// Options are the sync options in force: those of an application, or those of an application with what one object says
// of itself laid over them.
type Options struct {
	// Of applications and objects.
	Prune                       Deletion
	Delete                      Deletion // when the application itself is deleted
	PruneLast                   bool
	Replace                     bool // replace or create instead of apply
	Force                       bool // delete and create what cannot be changed
	SkipValidation              bool // Validate=false: unknown fields are dropped by the API server instead of refused
	SkipDryRunOnMissingResource bool
	ClientSideApply             bool // ServerSideApply=false was said; it changes nothing, see reference
	// Of applications only.
	CreateNamespace          bool
	ApplyOutOfSyncOnly       bool
	RespectIgnoreDifferences bool
	FailOnSharedResource     bool
	KeepOtherManagers        bool                       // ClientSideApplyMigration=false: earlier client-side writers keep their fields
	PropagationPolicy        metav1.DeletionPropagation // foreground unless said otherwise
}

// option is one word that may be given.
type option struct {
	object bool // an object may say it too
	set    func(o *Options, value string) bool
}

func toggle(field func(*Options) *bool) func(*Options, string) bool {
	return func(o *Options, value string) bool {
		*field(o) = value == "true"
		return value == "true" || value == "false"
	}
}

// inverse is a flag whose default is true and whose field says the opposite.
func inverse(field func(*Options) *bool) func(*Options, string) bool {
	return func(o *Options, value string) bool {
		*field(o) = value == "false"
		return value == "true" || value == "false"
	}
}

func deletion(field func(*Options) *Deletion) func(*Options, string) bool {
	return func(o *Options, value string) bool {
		answer, ok := map[string]Deletion{"true": DeleteFreely, "false": DeleteNever, "confirm": DeleteConfirmed}[value]
		if ok {
			*field(o) = answer
		}
		return ok
	}
}

func propagation(o *Options, value string) bool {
	policy, ok := map[string]metav1.DeletionPropagation{
		"foreground": metav1.DeletePropagationForeground,
		"background": metav1.DeletePropagationBackground,
		"orphan":     metav1.DeletePropagationOrphan,
	}[value]
	if ok {
		o.PropagationPolicy = policy
	}
	return ok
}

// known are the options of Argo CD 3.x (its manual, "Sync Options").
var known = map[string]option{
	"Prune":                       {true, deletion(func(o *Options) *Deletion { return &o.Prune })},
	"Delete":                      {true, deletion(func(o *Options) *Deletion { return &o.Delete })},
	"PruneLast":                   {true, toggle(func(o *Options) *bool { return &o.PruneLast })},
	"Replace":                     {true, toggle(func(o *Options) *bool { return &o.Replace })},
	"Force":                       {true, toggle(func(o *Options) *bool { return &o.Force })},
	"Validate":                    {true, inverse(func(o *Options) *bool { return &o.SkipValidation })},
	"SkipDryRunOnMissingResource": {true, toggle(func(o *Options) *bool { return &o.SkipDryRunOnMissingResource })},
	"ServerSideApply":             {true, inverse(func(o *Options) *bool { return &o.ClientSideApply })},
	"CreateNamespace":             {false, toggle(func(o *Options) *bool { return &o.CreateNamespace })},
	"ApplyOutOfSyncOnly":          {false, toggle(func(o *Options) *bool { return &o.ApplyOutOfSyncOnly })},
	"RespectIgnoreDifferences":    {false, toggle(func(o *Options) *bool { return &o.RespectIgnoreDifferences })},
	"FailOnSharedResource":        {false, toggle(func(o *Options) *bool { return &o.FailOnSharedResource })},
	"ClientSideApplyMigration":    {false, inverse(func(o *Options) *bool { return &o.KeepOtherManagers })},
	"PrunePropagationPolicy":      {false, propagation},
}

// ParseOptions reads the options of an application. Warnings name what is not understood; it is left out.
func ParseOptions(list v1alpha1.SyncOptions) (Options, []string) {
	o := Options{PropagationPolicy: metav1.DeletePropagationForeground}
	var warnings []string
	for _, text := range list {
		if warning := o.apply(text, false); warning != "" {
			warnings = append(warnings, warning)
		}
	}
	return o, warnings
}

// For lays what an object says of itself over the application's options: its sync-options annotation, and
// "helm.sh/resource-policy: keep", which means that it is neither pruned nor deleted.
func (o Options) For(obj metav1.Object) (Options, []string) {
	annotations := obj.GetAnnotations()
	if annotations[v1alpha1.AnnotationKeyHelmResourcePolicy] == "keep" {
		o.Prune, o.Delete = DeleteNever, DeleteNever
	}
	var warnings []string
	for text := range strings.SplitSeq(annotations[v1alpha1.AnnotationSyncOptions], ",") {
		if strings.TrimSpace(text) == "" {
			continue
		}
		if warning := o.apply(text, true); warning != "" {
			warnings = append(warnings, warning)
		}
	}
	return o, warnings
}

// apply sets one option, or returns why it could not be understood.
func (o *Options) apply(text string, ofObject bool) string {
	text = strings.TrimSpace(text)
	key, value, _ := strings.Cut(text, "=")
	opt, ok := known[key]
	switch {
	case !ok:
		return fmt.Sprintf("sync option %q is not known and has no effect%s", text, similar(key))
	case !ofObject && key == "Force":
		// Argo CD does not look at it there, so that it stands in many an application without harm: here it would delete.
		return fmt.Sprintf("sync option %q has no effect on a whole application; give it in the annotation of an object, or force a sync", text)
	case ofObject && !opt.object:
		return fmt.Sprintf("sync option %q has no effect on a single object; give it in spec.syncPolicy.syncOptions", text)
	case !opt.set(o, value):
		return fmt.Sprintf("sync option %q has a value that is not known and has no effect", text)
	}
	return ""
}

// similar suggests the option that differs only in upper and lower case.
func similar(key string) string {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if strings.EqualFold(name, key) {
			return "; did you mean " + name + "?"
		}
	}
	return ""
}

// Adopt returns the field managers whose fields are taken over before the first apply of an object, for comparisons and
// syncs alike: all programs that declare whole objects, or with ClientSideApplyMigration=false only Argo CD itself, and the
// one that the Application's annotation client-side-apply-migration-manager names.
func (o Options) Adopt(app metav1.Object) []string {
	managers := slices.Clone(diff.DefaultAdopt)
	if o.KeepOtherManagers {
		managers = []string{diff.Manager}
	}
	if name := app.GetAnnotations()[v1alpha1.AnnotationClientSideApplyMigrationManager]; name != "" && !o.KeepOtherManagers {
		managers = append(managers, name)
	}
	return managers
}
