// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// AuditEntry is one request that the API server has answered. Reads of Events and Leases, and health
// checks, are not in the log. Bodies are not either.
type AuditEntry struct {
	Time        time.Time // when the request arrived
	Verb        string    // get, list, watch, create, update, patch, delete, deletecollection
	UserAgent   string
	User        string // the impersonated one, if any
	Group       string
	Version     string
	Resource    string // the plural, such as deployments; empty for a request that is for no resource
	Subresource string
	Namespace   string
	Name        string // empty for lists, and for creations with generateName
	URI         string
	Code        int  // HTTP status of the answer
	DryRun      bool // nothing was written
}

// Writes tells whether the request changed, or would have changed, an object.
func (e AuditEntry) Writes() bool {
	return slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, e.Verb)
}

func (e AuditEntry) String() string {
	return fmt.Sprintf("%s %s %s/%s %s/%s -> %d by %s", e.Time.Format("15:04:05.000"), e.Verb, e.Resource,
		e.Subresource, e.Namespace, e.Name, e.Code, e.UserAgent)
}

// AuditMark is a place in the audit log.
type AuditMark int64

// AuditLog returns the path of the API server's audit log.
func (c *Cluster) AuditLog() string { return filepath.Join(c.dir, "audit.log") }

// AuditMark returns the present end of the audit log: that of its last whole line, as the size of the file may be seen
// in the middle of a write. What was answered before is before it.
func (c *Cluster) AuditMark(t testing.TB) AuditMark {
	t.Helper()
	f, err := os.Open(c.AuditLog())
	if err != nil {
		t.Fatalf("audit log: %v", err)
	}
	defer func() { _ = f.Close() }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatalf("audit log: %v", err)
	}
	end, err := endOfLines(f, size)
	if err != nil {
		t.Fatalf("audit log: %v", err)
	}
	return AuditMark(end)
}

// endOfLines returns the offset behind the last newline in the first size bytes of r, 0 if there is none.
func endOfLines(r io.ReaderAt, size int64) (int64, error) {
	const block = 4096
	for end := size; end > 0; end -= min(block, end) {
		buf := make([]byte, min(block, end))
		if _, err := r.ReadAt(buf, end-int64(len(buf))); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf, '\n'); i >= 0 {
			return end - int64(len(buf)) + int64(i) + 1, nil
		}
	}
	return 0, nil
}

// Audit returns the requests answered since from (0 means all) that keep keeps, in the order
// of the log. A nil keep keeps all. The API server writes an entry before it sends the end of
// its answer, so that a client which has its answer finds its request here.
func (c *Cluster) Audit(t testing.TB, from AuditMark, keep func(AuditEntry) bool) []AuditEntry {
	t.Helper()
	f, err := os.Open(c.AuditLog())
	if err != nil {
		t.Fatalf("audit log: %v", err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(int64(from), io.SeekStart); err != nil {
		t.Fatalf("audit log: %v", err)
	}
	entries, err := readAudit(f)
	if err != nil {
		t.Fatalf("audit log %s: %v", c.AuditLog(), err)
	}
	if keep == nil {
		return entries
	}
	return slices.DeleteFunc(entries, func(e AuditEntry) bool { return !keep(e) })
}

// readAudit reads whole lines only: the last one may be half written.
func readAudit(r io.Reader) ([]AuditEntry, error) {
	var entries []AuditEntry
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		var event auditEvent
		if err := json.Unmarshal(line, &event); err != nil {
			return nil, fmt.Errorf("%w in %s", err, bytes.TrimSpace(line))
		}
		// A watch has an event for its begin and one for its end; everything else has the latter.
		if event.Stage == "ResponseComplete" || event.Stage == "Panic" {
			entries = append(entries, event.entry())
		}
	}
}

// auditEvent is the part that is read of an Event of audit.k8s.io/v1.
type auditEvent struct {
	Stage      string `json:"stage"`
	Verb       string `json:"verb"`
	RequestURI string `json:"requestURI"`
	UserAgent  string `json:"userAgent"`
	User       struct {
		Username string `json:"username"`
	} `json:"user"`
	ImpersonatedUser struct {
		Username string `json:"username"`
	} `json:"impersonatedUser"`
	ObjectRef struct {
		APIGroup    string `json:"apiGroup"`
		APIVersion  string `json:"apiVersion"`
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	RequestReceivedTimestamp time.Time `json:"requestReceivedTimestamp"`
}

func (e auditEvent) entry() AuditEntry {
	return AuditEntry{
		Time:        e.RequestReceivedTimestamp,
		Verb:        e.Verb,
		UserAgent:   e.UserAgent,
		User:        cmp.Or(e.ImpersonatedUser.Username, e.User.Username),
		Group:       e.ObjectRef.APIGroup,
		Version:     e.ObjectRef.APIVersion,
		Resource:    e.ObjectRef.Resource,
		Subresource: e.ObjectRef.Subresource,
		Namespace:   e.ObjectRef.Namespace,
		Name:        e.ObjectRef.Name,
		URI:         e.RequestURI,
		Code:        e.ResponseStatus.Code,
		DryRun:      isDryRun(e.RequestURI),
	}
}

func isDryRun(uri string) bool {
	u, err := url.ParseRequestURI(uri)
	return err == nil && u.Query().Has("dryRun")
}
