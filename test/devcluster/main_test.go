// SPDX-License-Identifier: Apache-2.0

package devcluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/test/devcluster"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestMain(m *testing.M) { devcluster.Main(m) }

// eventually waits until done says so. The limit is for a cluster that hangs: all that these
// tests wait for takes seconds on an idle machine.
func eventually(t *testing.T, what string, done func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done(ctx)
		if err != nil {
			t.Fatalf("waiting until %s: %v", what, err)
		}
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// podTemplate is a pod that behaves as behaviour says, by annotation.
func podTemplate(behaviour string, restart corev1.RestartPolicy) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{
			Labels:      map[string]string{"app": "sample"},
			Annotations: map[string]string{devcluster.PodAnnotation: behaviour},
		},
		Spec: corev1.PodSpec{
			RestartPolicy: restart,
			Containers:    []corev1.Container{{Name: "main", Image: "example.com/sample:1"}},
		},
	}
}

func sampleJob(behaviour string) *batchv1.Job {
	none := int32(0)
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "sample"},
		Spec:       batchv1.JobSpec{BackoffLimit: &none, Template: podTemplate(behaviour, corev1.RestartPolicyNever)},
	}
}
