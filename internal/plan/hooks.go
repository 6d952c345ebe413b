// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// helmHooks maps Helm's hooks to ours. Those of Helm that are not here (tests, rollbacks) never run, and a chart's
// crd-install is an ordinary object.
var helmHooks = map[string]v1alpha1.HookType{
	"pre-install":  v1alpha1.HookTypePreSync,
	"pre-upgrade":  v1alpha1.HookTypePreSync,
	"post-install": v1alpha1.HookTypePostSync,
	"post-upgrade": v1alpha1.HookTypePostSync,
	"pre-delete":   v1alpha1.HookTypePreDelete,
	"post-delete":  v1alpha1.HookTypePostDelete,
}

// Hooks returns the hooks an object is, and whether it is an object that takes part in a sync at all: one that is
// marked Skip, or only with hooks of Helm that never run, does not.
func Hooks(obj metav1.Object) (hooks []v1alpha1.HookType, takesPart bool) {
	annotations := obj.GetAnnotations()
	if text, ok := annotations[v1alpha1.AnnotationKeyHook]; ok {
		for name := range strings.SplitSeq(text, ",") {
			hooks = append(hooks, v1alpha1.HookType(strings.TrimSpace(name)))
		}
		if slices.Contains(hooks, v1alpha1.HookTypeSkip) {
			return nil, false
		}
		return hooks, true
	}
	text, ok := annotations[v1alpha1.AnnotationKeyHelmHook]
	if !ok {
		return nil, true
	}
	for name := range strings.SplitSeq(text, ",") {
		switch hook, known := helmHooks[strings.TrimSpace(name)]; {
		case known && !slices.Contains(hooks, hook):
			hooks = append(hooks, hook)
		case strings.TrimSpace(name) == "crd-install":
			takesPart = true
		}
	}
	return hooks, takesPart || len(hooks) > 0
}

// WaveOf returns the wave of an object: that of its annotation, else the weight that it has as a hook of Helm. A value
// that is not a whole number counts as 0, with a warning.
func WaveOf(obj metav1.Object) (wave int, warning string) {
	for _, key := range []string{v1alpha1.AnnotationSyncWave, v1alpha1.AnnotationKeyHelmHookWeight} {
		text, ok := obj.GetAnnotations()[key]
		if !ok {
			continue
		}
		wave, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Sprintf("%s %q is not a whole number and is read as 0", key, text)
		}
		return wave, ""
	}
	return 0, ""
}

// later collects objects that ask for what is not carried out yet.
type later struct {
	hooks []string
	waves map[int]string // an object of each wave, and its place
}

func (l *later) add(item *Item, hooks []v1alpha1.HookType, wave int) {
	at := ""
	if item.Origin.File != "" {
		at = " at " + item.Origin.String()
	}
	if len(hooks) > 0 {
		l.hooks = append(l.hooks, fmt.Sprintf("%s (%s)%s", item.Key, hooks[0], at))
		return
	}
	if l.waves == nil {
		l.waves = map[int]string{}
	}
	if _, ok := l.waves[wave]; !ok {
		l.waves[wave] = item.Key.String() + at
	}
}

// err says that the application cannot be synced yet. Syncing a part, or all at once, would be worse than nothing: a
// migration that has to run first would run last or never.
func (l *later) err() error {
	if len(l.hooks) > 0 {
		return fault.New(fault.Mistake, "sync", "an application with hooks", "", "hooks are not supported yet: "+first(l.hooks),
			"take them out of the source; until then nothing is synced")
	}
	if len(l.waves) < 2 {
		return nil
	}
	var texts []string
	for _, wave := range sortedKeys(l.waves) {
		texts = append(texts, fmt.Sprintf("wave %d of %s", wave, l.waves[wave]))
	}
	return fault.New(fault.Mistake, "sync", "an application with several sync waves", "",
		"more than one wave is not supported yet: "+first(texts), "give all objects the same wave; until then nothing is synced")
}

// first lists the first few of many.
func first(texts []string) string {
	const show = 10
	if len(texts) > show {
		return strings.Join(texts[:show], ", ") + fmt.Sprintf(" and %d more", len(texts)-show)
	}
	return strings.Join(texts, ", ")
}

func sortedKeys(m map[int]string) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
