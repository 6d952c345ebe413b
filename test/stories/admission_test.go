// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// admitter is an admission webhook of the story.
type admitter struct {
	failsDryRuns, fails atomic.Bool
	refused             atomic.Value // the name of objects that it does not admit, dry runs apart
}

// admission start | fail | fail-dry-runs | refuse NAME | allow: see README.md.
func admission(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	switch {
	case len(args) == 1 && args[0] == "start":
		s.admitter = &admitter{}
		server := httptest.NewTLSServer(s.admitter)
		ts.Defer(server.Close)
		authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		ts.Setenv("HOOK", server.URL)
		ts.Setenv("HOOK_CA", base64.StdEncoding.EncodeToString(authority))
	case len(args) == 1 && s.admitter != nil && (args[0] == "fail" || args[0] == "fail-dry-runs" || args[0] == "allow"):
		s.admitter.fails.Store(args[0] == "fail")
		s.admitter.failsDryRuns.Store(args[0] != "allow")
		s.admitter.refused.Store("")
	case len(args) == 2 && s.admitter != nil && args[0] == "refuse":
		s.admitter.refused.Store(expand(ts, args[1]))
	default:
		ts.Fatalf("usage: admission start, then admission fail, fail-dry-runs, refuse NAME or allow")
	}
}

func (a *admitter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "no AdmissionReview", http.StatusBadRequest)
		return
	}
	dry := review.Request.DryRun != nil && *review.Request.DryRun
	if a.fails.Load() || dry && a.failsDryRuns.Load() {
		http.Error(w, "out of order", http.StatusInternalServerError)
		return
	}
	answer := &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: dry || review.Request.Name != a.refused.Load()}
	if !answer.Allowed {
		answer.Result = &metav1.Status{Message: "the story does not want it"}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(admissionv1.AdmissionReview{TypeMeta: review.TypeMeta, Response: answer})
}
