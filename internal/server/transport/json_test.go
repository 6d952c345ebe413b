// SPDX-License-Identifier: Apache-2.0

package transport_test

import (
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func metaNamed(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

func timeAt(t time.Time) *metav1.Time {
	at := metav1.NewTime(t.UTC())
	return &at
}
