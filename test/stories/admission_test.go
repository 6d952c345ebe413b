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
)

// admitter is an admission webhook of the story.
type admitter struct{ failsDryRuns atomic.Bool }

// admission start | fail-dry-runs | allow: see README.md.
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
	case len(args) == 1 && s.admitter != nil && (args[0] == "fail-dry-runs" || args[0] == "allow"):
		s.admitter.failsDryRuns.Store(args[0] != "allow")
	default:
		ts.Fatalf("usage: admission start, then admission fail-dry-runs or admission allow")
	}
}

func (a *admitter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "no AdmissionReview", http.StatusBadRequest)
		return
	}
	if review.Request.DryRun != nil && *review.Request.DryRun && a.failsDryRuns.Load() {
		http.Error(w, "no dry runs here", http.StatusInternalServerError)
		return
	}
	answer := &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(admissionv1.AdmissionReview{TypeMeta: review.TypeMeta, Response: answer})
}
