// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// tagRef is an annotated tag: the ref and the id of the tag object. The zero value is none.
type tagRef struct{ ref, id, commit string }

// tagFor returns the annotated tag that a revision stands for. It goes by the refs last seen if they lead to the commit,
// and asks otherwise: the commit may have been resolved from others.
func (m *mirror) tagFor(ctx context.Context, commit string, revision Revision) (tagRef, error) {
	if name := revision.Name; name == "" || name == "HEAD" || IsCommitID(name) || strings.HasPrefix(name, "refs/heads/") {
		return tagRef{}, nil
	}
	m.mu.Lock()
	refs := m.refs
	m.mu.Unlock()
	leads := func() bool {
		at, err := refs.Resolve(revision)
		if err != nil && shortID.MatchString(revision.Name) {
			return strings.HasPrefix(commit, strings.ToLower(revision.Name))
		}
		return err == nil && at == commit
	}
	if refs.At.IsZero() || !leads() {
		m.expect(revision)
		var err error
		if refs, err = m.asking.ask(ctx, struct{}{}); err != nil {
			return tagRef{}, err
		}
	}
	ref, id, ok := refs.tagOf(revision)
	switch {
	case !ok:
		return tagRef{}, nil
	case !leads():
		return tagRef{}, fault.New(fault.Retry, "check", "tag "+strings.TrimPrefix(ref, "refs/tags/"), "repository "+m.remote.repo.String(),
			"it points to another commit than "+commit[:12]+" by now", "")
	}
	return tagRef{ref: ref, id: id, commit: commit}, nil
}

func (m *mirror) tagsDir() string { return filepath.Join(m.dir, "tags") }

// keptTags is where tags are kept that were fetched to be checked.
const keptTags = "refs/bowline/tags/"

// fetchTag brings a tag object into the repository beside the mirror.
func (m *mirror) fetchTag(ctx context.Context, tag tagRef) error {
	m.disk.Lock()
	defer m.disk.Unlock()
	if err := m.prepare(ctx); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(m.tagsDir(), keptTags+tag.id)); err == nil {
		return nil
	}
	return m.fetchBeside(ctx, m.tagsDir(), "tag "+tag.id, "--depth=1", tag.id+":"+keptTags+tag.id)
}

// maxTags bounds the tags that point to tags.
const maxTags = 5

// tag checks an annotated tag: its signature, that it is the one the ref is named after (a good signature of v1 must
// not count for v2), and that it leads to the commit.
func (c check) tag(ctx context.Context, tag tagRef) (verdict, error) {
	m := c.mirror
	if err := m.fetchTag(ctx, tag); err != nil {
		return verdict{}, err
	}
	name := strings.TrimPrefix(tag.ref, "refs/tags/")
	id, kind := tag.id, "tag"
	var out verdict
	for depth := 0; kind == "tag"; depth++ {
		objects, err := m.store.readers.read(ctx, m.tagsDir(), []string{id}, true, maxCommit)
		if err != nil {
			return verdict{}, m.storeError(err)
		}
		if objects[0].kind != "tag" || objects[0].data == nil || depth == maxTags {
			return verdict{}, m.storeError(fmt.Errorf("the tag %s cannot be read", id))
		}
		o := signedTag(name, objects[0].data)
		if depth == 0 {
			failure, until := c.object(o)
			if own := o.field("tag"); failure == nil && own != name && strings.HasPrefix(tag.ref, "refs/tags/") {
				failure = &SignatureFailure{Object: o.name, Author: plainText(o.author), State: SignatureBad, Detail: "the tag was made and signed under another name, " + plainText(own)}
			}
			out = verdictOf(failure, until)
		}
		id, kind = o.field("object"), o.field("type")
		if kind == "tag" && !IsCommitID(id) {
			break
		}
	}
	if kind != "commit" || id != tag.commit {
		return verdict{}, fault.New(fault.Retry, "check", "tag "+name, "repository "+m.remote.repo.String(), "it points to another commit than "+tag.commit[:12], "")
	}
	return out, nil
}
