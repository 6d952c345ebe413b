// SPDX-License-Identifier: Apache-2.0

package gitserver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const (
	lfsBatch   = "/info/lfs/objects/batch"
	lfsObjects = "/lfs-storage/"
)

// LFS is what a Server says of Git LFS, for all of its repositories, behind the same credentials.
type LFS struct {
	// Objects are the stored contents by oid. What is here under an oid need not have it.
	Objects map[string]string
	// Href, if set, says where an object is; else it is on the Server itself.
	Href func(oid string) string
	// Header is what clients are told to send with the request for an object.
	Header map[string]string
	// Answer, if set, replaces the answer of the batch API.
	Answer string
}

// SetLFS makes the server speak Git LFS; nil ends it.
func (s *Server) SetLFS(l *LFS) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lfs = l
}

// Add stores content and returns the pointer to it.
func (l *LFS) Add(content string) (pointer string) {
	oid := OID(content)
	if l.Objects == nil {
		l.Objects = map[string]string{}
	}
	l.Objects[oid] = content
	return Pointer(oid, len(content))
}

// OID is the id of content.
func OID(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// Pointer is the text of a pointer.
func Pointer(oid string, size int) string {
	return fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", oid, size)
}

// servesLFS answers requests of Git LFS and reports whether this was one.
func (s *Server) servesLFS(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	l := s.lfs
	s.mu.Unlock()
	oid, object := strings.CutPrefix(r.URL.Path, lfsObjects)
	switch {
	case l == nil:
		return false
	case object:
		content, ok := l.Objects[oid]
		if !ok {
			http.NotFound(w, r)
			return true
		}
		_, _ = io.WriteString(w, content)
	case strings.HasSuffix(r.URL.Path, lfsBatch) && r.Method == http.MethodPost:
		s.batch(w, r, l)
	default:
		return false
	}
	return true
}

func (s *Server) batch(w http.ResponseWriter, r *http.Request, l *LFS) {
	var question struct {
		Operation string
		Objects   []struct {
			OID  string
			Size int64
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&question); err != nil || question.Operation != "download" {
		http.Error(w, "what?", http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.git-lfs+json")
	if l.Answer != "" {
		_, _ = io.WriteString(w, l.Answer)
		return
	}
	var objects []map[string]any
	for _, o := range question.Objects {
		if _, ok := l.Objects[o.OID]; !ok {
			objects = append(objects, map[string]any{"oid": o.OID, "size": o.Size, "error": map[string]any{"code": http.StatusNotFound, "message": "no such object"}})
			continue
		}
		href := s.URL + lfsObjects + o.OID
		if l.Href != nil {
			href = l.Href(o.OID)
		}
		objects = append(objects, map[string]any{"oid": o.OID, "size": o.Size, "actions": map[string]any{"download": map[string]any{"href": href, "header": l.Header}}})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"transfer": "basic", "objects": objects})
}
