// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// FuzzAnnotations checks what is read from annotations that anybody may write.
func FuzzAnnotations(f *testing.F) {
	for _, seed := range []string{"Prune=false,Validate=false", "=", ",,", "Skip", "PreSync,Skip", "-9223372036854775809", "d 2026-03-01T12:00:00Z", "*{["} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		obj := &metav1.ObjectMeta{Annotations: map[string]string{
			v1alpha1.AnnotationSyncOptions: text, v1alpha1.AnnotationKeyHook: text, v1alpha1.AnnotationSyncWave: text,
		}}
		_, warnings := Options{}.For(obj)
		if warned := len(warnings); warned > strings.Count(text, ",")+1 {
			t.Errorf("%q: %d warnings", text, warned)
		}
		if hooks, takesPart := Hooks(obj); len(hooks) > 0 && !takesPart {
			t.Errorf("%q: hooks %q that take no part", text, hooks)
		}
		hook := &unstructured.Unstructured{}
		hook.SetAnnotations(map[string]string{v1alpha1.AnnotationKeyHookDeletePolicy: text, v1alpha1.AnnotationKeyHelmHookDeletion: text})
		if policies, _ := DeletePolicies(hook); len(policies) == 0 || len(policies) > 3 {
			t.Errorf("%q: policies %q", text, policies)
		}
		if name := fitting(text, "abcdef0-postsync-1700000000-10"); len(name) > maxName || !strings.HasSuffix(name, "-10") {
			t.Errorf("%q: named %q", text, name)
		}
		if wave, warning := WaveOf(obj); warning != "" && wave != 0 {
			t.Errorf("%q is read as wave %d in spite of %q", text, wave, warning)
		}
		if note, ok := ParseNote(text); ok {
			if again, ok := ParseNote(note.String()); !ok || again.Digest != note.Digest || !again.At.Equal(note.At) {
				t.Errorf("%q: %+v does not survive being written", text, note)
			}
		}
		Selected([]v1alpha1.SyncOperationResource{{Group: text, Kind: text, Name: text, Namespace: text}}, object.Key{Kind: "A", Name: "b"})
	})
}
