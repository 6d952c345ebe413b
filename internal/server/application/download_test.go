// SPDX-License-Identifier: Apache-2.0

package application

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestLogsAsAFile(t *testing.T) {
	status := http.StatusOK
	handler := Downloads(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("download") != "" || r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("it is asked for %s with %v", r.URL, r.Header)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if status != http.StatusOK {
			fmt.Fprint(w, `{"error":"permission denied"}`)
			return
		}
		for _, piece := range []string{`{"result":{"content":"o`, "ne\"}}\n{\"result\":{\"content\":\"two\"}}\n", `{"result":{"last":true,"content":""}}` + "\n"} {
			fmt.Fprint(w, piece)
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		}
	}))
	get := func(query string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		request := httptest.NewRequest(http.MethodGet, "/api/v1/applications/web/logs?download=true&"+query, nil)
		request.Header.Set("Accept-Encoding", "gzip")
		handler.ServeHTTP(answer, request)
		return answer
	}
	answer := get("namespace=shop&podName=web-1&container=main")
	if answer.Body.String() != "one\ntwo\n" || answer.Header().Get("Content-Disposition") != `attachment;filename="shop-web-1-main.log"` {
		t.Errorf("it answers %q with %v", answer.Body, answer.Header())
	}
	if name := get(`namespace=x&podName="%0d%0aSet-Cookie:&container=c`).Header().Get("Content-Disposition"); name != `attachment;filename="log.log"` {
		t.Errorf("the file is %s", name)
	}
	status = http.StatusForbidden
	if answer := get(""); answer.Code != status || answer.Body.String() != `{"error":"permission denied"}` || answer.Header().Get("Content-Type") != "application/json" {
		t.Errorf("a refusal becomes %d %q", answer.Code, answer.Body)
	}
}
