// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The audit log of the API server says what was really asked of it.

// auditLog is the file of a plane whose data is in dir.
func auditLog(dir string) string { return filepath.Clean(dir) + "-audit.log" }

// audit returns the place in the audit log where what follows begins.
func (s *subject) audit() (int64, error) {
	info, err := os.Stat(auditLog(s.planeDir))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// audited is what is read of an entry: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/.
type audited struct {
	Verb      string
	UserAgent string
	ObjectRef struct{ Resource, Subresource, Name string }
}

// addRequests puts into a row what Bowline asked of the API server since a place in the log: how often it wrote each
// Application, and how many requests of each verb there were.
func (s *subject) addRequests(row map[string]any, since int64) error {
	writes, verbs := map[string]int{}, map[string]int{}
	err := s.entries(since, func(e audited) {
		if !strings.HasPrefix(e.UserAgent, "bowline") {
			return
		}
		verbs[e.Verb]++
		if e.ObjectRef.Resource == applications.Resource && slices.Contains([]string{"patch", "update"}, e.Verb) {
			writes[e.ObjectRef.Name]++
		}
	})
	total, worst := 0, 0
	for _, n := range writes {
		total, worst = total+n, max(worst, n)
	}
	row["requests"], row["status_writes_each"], row["status_writes_most"] = verbs, round(float64(total)/float64(s.apps)), worst
	return err
}

// entries reads the audit log from a place on.
func (s *subject) entries(since int64, seen func(audited)) error {
	f, err := os.Open(auditLog(s.planeDir))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(since, io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e audited
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("audit log: %w", err)
		}
		seen(e)
	}
	return lines.Err()
}
