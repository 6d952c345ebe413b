// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/bowline-cd/bowline/internal/fault"
)

// refused is the body of an answer that is an error. Argo CD's gateway writes the same; its streams may write the status only.
type refused struct {
	Message string `json:"message"`
	Error   string `json:"error"`
	// Code is that of gRPC.
	Code     int `json:"code"`
	GRPCCode int `json:"grpc_code"`
	HTTPCode int `json:"http_code"`
}

// longestRefusal is how much of a refusal is read.
const longestRefusal = 1 << 20

// kind is what a refusal means.
type kind struct {
	fault.Kind
	fault.Code
	fix string
}

const logIn = "log in with `bowline login` (again: `bowline relogin`)"

// byCode are the meanings of gRPC's codes.
var byCode = map[int]kind{
	1: {fault.Retry, "", ""}, 2: {fault.Retry, "", ""}, 3: {fault.Mistake, "", ""}, 4: {fault.Retry, "", ""},
	5: {fault.Mistake, fault.NotFound, ""}, 6: {fault.Mistake, fault.AlreadyExists, ""}, 7: {fault.Forbidden, "", ""},
	8: {fault.Retry, fault.TooManyRequests, ""}, 9: {fault.Wait, "", ""}, 10: {fault.Retry, "", ""}, 11: {fault.Mistake, "", ""},
	12: {fault.Mistake, fault.Unsupported, ""}, 13: {fault.Bug, "", ""}, 14: {fault.Retry, "", ""}, 15: {fault.Bug, "", ""},
	16: {fault.Forbidden, fault.Unauthenticated, logIn},
}

// byStatus are the meanings of HTTP's where they say more than the code, or without one.
var byStatus = map[int]kind{
	http.StatusBadRequest: {fault.Mistake, "", ""}, http.StatusUnauthorized: byCode[16], http.StatusForbidden: byCode[7],
	http.StatusNotFound: byCode[5], http.StatusMethodNotAllowed: byCode[12], http.StatusConflict: {fault.Wait, "", ""},
	http.StatusRequestEntityTooLarge: {fault.Mistake, fault.TooLarge, ""}, http.StatusTooManyRequests: byCode[8],
	http.StatusNotImplemented: byCode[12], http.StatusUnsupportedMediaType: {fault.Mistake, "", ""},
}

func (r *refused) fault(status int) error {
	code := r.Code
	if code == 0 {
		code = r.GRPCCode
	}
	if status == 0 {
		status = r.HTTPCode
	}
	meaning, known := byCode[code]
	if by, ok := byStatus[status]; ok && (!known || code == 8 || code == 2 || code == 11) {
		meaning = by
	}
	cause := r.Message
	if cause == "" {
		cause = r.Error
	}
	if cause == "" {
		cause = fmt.Sprintf("the server answered %d %s", status, http.StatusText(status))
	}
	return &fault.Error{Kind: meaning.Kind, Code: meaning.Code, Err: errors.New(cause), Fix: meaning.fix}
}

// refusal reads an answer that is no success.
func (c *Caller) refusal(answer *http.Response) error {
	if to := answer.Header.Get("Location"); to != "" && answer.StatusCode/100 == 3 {
		return fault.New(fault.Mistake, "ask", "server "+c.server.Address, "", "it sends to "+fault.RedactURL(to),
			"name the address that answers itself, without --plaintext if that begins with https")
	}
	data, _ := io.ReadAll(io.LimitReader(answer.Body, longestRefusal))
	said := refused{}
	if err := json.Unmarshal(data, &said); err != nil || said == (refused{}) {
		said = refused{Message: fmt.Sprintf("server %s answered %s, and not in JSON", c.server.Address, answer.Status)}
	}
	return said.fault(answer.StatusCode)
}
