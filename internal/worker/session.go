// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// The bounds of what a process may say, beside the limits of the job.
const (
	maxPath   = 4 << 10 // of a call, as PATH_MAX
	maxOrigin = 4 << 10 // a file's name in an origin
	// callsPerFile bounds the calls of one render by the files it may read: looking up and listing are calls too.
	callsPerFile = 50
	// maxAsked bounds the calls of one render together, in bytes: the caller remembers each path that was looked at.
	maxAsked = 64 << 20
	// nodeBytes is what an element of an object costs in memory at least, beside its text.
	nodeBytes = 16
	// objectHead bounds what stands around an object in its frame.
	objectHead = maxOrigin + 32
)

// session is one job at a process, seen from the caller.
type session struct {
	ctx    context.Context //nolint:containedctx // a session is one call
	in     render.Input
	typ    v1alpha1.ApplicationSourceType
	conn   io.ReadWriter
	watch  *watch
	mounts []tree.Tree

	kept  []error // errors of calls; the process knows them by number
	files map[string]struct{}
	calls int
	asked int64 // bytes of the calls
	begun bool  // whether the process said that it has the job
	spent bool  // whether the process must not get another

	out       render.Output
	bytesLeft int64
	nodesLeft int64
}

func newSession(ctx context.Context, typ v1alpha1.ApplicationSourceType, in render.Input, conn io.ReadWriter, w *watch) *session {
	return &session{
		ctx: ctx, in: in, typ: typ, conn: conn, watch: w, files: map[string]struct{}{},
		bytesLeft: in.Limits.OutputBytes, nodesLeft: max(in.Limits.OutputBytes/nodeBytes, 1<<16),
	}
}

// brokenError marks errors after which the process is of no use: it is dead, or does not keep to the protocol.
type brokenError struct{ err error }

func (e brokenError) Error() string { return e.err.Error() }
func (e brokenError) Unwrap() error { return e.err }

// run carries out the job. A brokenError means that the process is of no use any more; every other error is the render's.
func (s *session) run() (render.Output, error) {
	j, mounts := newJob(s.typ, s.in)
	s.mounts = mounts
	body, err := json.Marshal(j)
	if err != nil {
		return render.Output{}, fmt.Errorf("the source has no JSON form: %w", err)
	}
	s.watch.resume()
	if err := writeFrame(s.conn, jobFrame, append(newFrame(), body...)); err != nil {
		return render.Output{}, brokenError{err}
	}
	for {
		k, body, err := readFrame(s.conn, s.limit)
		if err != nil {
			return render.Output{}, s.unreadable(err)
		}
		switch k {
		case begunFrame:
			s.begun = true
		case callFrame:
			err = s.call(body)
		case objectsFrame:
			err = s.objects(body)
		default:
			return s.finish(body)
		}
		if err != nil {
			return render.Output{}, err
		}
	}
}

// limit is what a frame of the process may hold now.
func (s *session) limit(k kind) int64 {
	switch {
	case k == begunFrame && !s.begun:
		return 0
	case !s.begun:
		return -1
	case k == callFrame:
		return maxCall
	case k == objectsFrame:
		return max(s.bytesLeft, 0) + batch + objectHead
	case k == resultFrame:
		return maxResult
	}
	return -1
}

func (s *session) unreadable(err error) error {
	var long tooLongError
	if errors.As(err, &long) && long.kind == objectsFrame {
		return brokenError{s.in.TooLargeOutput()}
	}
	return brokenError{err}
}

// call answers a call. The time it takes to find the answer is not the render's; the time to take it is.
func (s *session) call(body []byte) error {
	s.watch.pause()
	answer, err := s.find(body)
	s.watch.resume()
	if err != nil {
		return err
	}
	if err := writeFrame(s.conn, answerFrame, answer); err != nil {
		return brokenError{err}
	}
	return nil
}

// find returns the answer to a call.
func (s *session) find(body []byte) ([]byte, error) {
	if s.calls++; s.calls > callsPerFile*s.in.Limits.Files {
		return nil, brokenError{s.in.Exceeded(fmt.Sprintf("it looks for more than %d files and folders", s.calls-1), render.SettingFiles)}
	}
	if s.asked += int64(len(body)); s.asked > maxAsked {
		return nil, brokenError{s.in.Exceeded("the paths of the files and folders that it looks for are too long", render.SettingFiles)}
	}
	answer, err := s.answer(&reader{rest: body})
	var broken brokenError
	switch {
	case errors.As(err, &broken):
		return nil, err
	case s.ctx.Err() != nil:
		return nil, brokenError{s.ctx.Err()}
	case err == tree.ErrAbsent: //nolint:errorlint // one that only means it is kept like others
		answer = append(newFrame(), byte(absentStatus))
	case err != nil:
		s.kept = append(s.kept, err)
		body, err := json.Marshal(toCallFailure(err, len(s.kept)))
		if err != nil {
			return nil, brokenError{err}
		}
		answer = append(append(newFrame(), byte(failedStatus)), body...)
	}
	if len(answer) > maxToProcess {
		return nil, brokenError{s.in.Exceeded("it reads a folder or file that is larger than fits into a message", render.SettingFiles)}
	}
	return answer, nil
}

func (s *session) answer(r *reader) ([]byte, error) {
	ok := append(newFrame(), byte(okStatus))
	switch o := op(r.byte()); o {
	case kubeVersionOp:
		version, err := s.in.KubeVersion(s.ctx)
		return appendText(ok, version), err
	case apiVersionsOp:
		versions, err := s.in.APIVersions(s.ctx)
		ok = binary.AppendUvarint(ok, uint64(len(versions)))
		for _, v := range versions {
			ok = appendText(ok, v)
		}
		return ok, err
	case lookupOp, listOp, readOp:
		return s.file(o, r, ok)
	}
	return nil, brokenError{errFrame}
}

func (s *session) file(o op, r *reader, ok []byte) ([]byte, error) {
	number := r.number(uint64(len(s.mounts) - 1)) //nolint:gosec // there is at least one
	p, limit := r.text(), int64(-1)
	if o == readOp {
		limit = r.signed()
	}
	if err := checkPath(r, p); err != nil {
		return nil, err
	}
	t := s.mounts[number]
	switch o {
	case lookupOp:
		e, err := t.Lookup(s.ctx, p)
		return appendEntry(ok, e), err
	case listOp:
		entries, err := t.List(s.ctx, p)
		ok = binary.AppendUvarint(ok, uint64(len(entries)))
		for _, e := range entries {
			ok = appendEntry(ok, e)
		}
		return ok, err
	}
	return s.read(t, number, p, limit, r, ok)
}

// checkPath refuses what no tree has: paths that are not clean.
func checkPath(r *reader, p string) error {
	cleaned, inside := tree.Clean(p)
	if r.err != nil || !inside || cleaned != p || len(p) > maxPath || strings.ContainsRune(p, 0) {
		return brokenError{fmt.Errorf("%w: a call for %q", errFrame, clipTo(p, 100))}
	}
	return nil
}

// read answers with a file, and with those that the process reads ahead as far as they can be had.
func (s *session) read(t tree.Tree, mount uint64, p string, limit int64, r *reader, ok []byte) ([]byte, error) {
	data, err := s.content(t, mount, p, limit)
	if err != nil {
		return nil, err
	}
	ok = appendText(slices.Grow(ok, len(data)+binary.MaxVarintLen64), data)
	for len(r.rest) > 0 {
		p := r.text()
		if err := checkPath(r, p); err != nil {
			return nil, err
		}
		data, err := s.content(t, mount, p, aheadBytes)
		var broken brokenError
		switch {
		case errors.As(err, &broken):
			return nil, err
		case err != nil: // it is told when the file itself is asked for
			ok = append(ok, byte(failedStatus))
		default:
			ok = appendText(append(ok, byte(okStatus)), data)
		}
	}
	return ok, nil
}

func (s *session) content(t tree.Tree, mount uint64, p string, limit int64) ([]byte, error) {
	if limit < 0 || limit > s.in.Limits.FileBytes {
		limit = s.in.Limits.FileBytes
	}
	if s.files[fmt.Sprint(mount, " ", p)] = struct{}{}; len(s.files) > s.in.Limits.Files {
		return nil, brokenError{s.in.Exceeded(fmt.Sprintf("it reads more than %d files", s.in.Limits.Files), render.SettingFiles)}
	}
	return t.Read(s.ctx, p, limit)
}

// objects takes some of the objects. They are checked like those of a file: the process is no witness.
func (s *session) objects(body []byte) error {
	r := &reader{rest: body}
	for len(r.rest) > 0 {
		origin := object.Origin{File: r.text(), Line: int(r.number(math.MaxInt32)), Source: s.in.Index} //nolint:gosec // it is checked
		raw := r.bytes()
		if r.err != nil || len(origin.File) > maxOrigin {
			return brokenError{errFrame}
		}
		origin.File = clip(origin.File)
		s.bytesLeft -= int64(len(raw))
		s.nodesLeft -= nodes(raw)
		if s.bytesLeft < 0 || s.nodesLeft < 0 {
			return brokenError{s.in.TooLargeOutput()}
		}
		var doc map[string]any
		if err := utiljson.Unmarshal(raw, &doc); err != nil {
			return brokenError{fmt.Errorf("%w: an object: %w", errFrame, err)}
		}
		manifests, err := render.Manifest(doc, origin)
		if err != nil {
			s.spent = true // it should have found that itself
			return brokenError{err}
		}
		s.out.Manifests = append(s.out.Manifests, manifests...)
		if len(s.out.Manifests) > s.in.Limits.Objects {
			return brokenError{s.in.TooManyObjects()}
		}
	}
	return nil
}

// nodes counts the elements of a JSON text, roughly: each takes memory however short it is.
func nodes(raw []byte) int64 {
	n, inText := int64(0), false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\\' && inText:
			i++
		case c == '"':
			inText = !inText
		case !inText && (c == ',' || c == ':' || c == '[' || c == '{'):
			n++
		}
	}
	return n
}

func (s *session) finish(body []byte) (render.Output, error) {
	var r result
	if err := json.Unmarshal(body, &r); err != nil {
		return render.Output{}, brokenError{fmt.Errorf("%w: the result: %w", errFrame, err)}
	}
	s.spent = s.spent || r.Spent
	s.in.Trace.Note(s.used(r.Used))
	if err := toError(r.Failure, s.kept); err != nil {
		return render.Output{Type: s.typ, Used: s.in.Trace.Used()}, err
	}
	if len(r.Needs) > maxNeeds || len(r.Needs) > 0 && len(s.out.Manifests) > 0 {
		return render.Output{}, brokenError{fmt.Errorf("%w: %d needs and %d objects", errFrame, len(r.Needs), len(s.out.Manifests))}
	}
	for _, n := range r.Needs {
		if n.Kind != render.NeedGit && n.Kind != render.NeedChart && n.Kind != render.NeedFile {
			return render.Output{}, brokenError{fmt.Errorf("%w: a need of kind %q", errFrame, clipTo(string(n.Kind), 100))}
		}
	}
	for _, w := range r.Warnings[:min(len(r.Warnings), maxWarnings)] {
		s.out.Warnings = append(s.out.Warnings, clipTo(w, maxWarningText))
	}
	s.out.Type, s.out.Needs, s.out.Used = s.typ, r.Needs, s.in.Trace.Used()
	return s.out, nil
}

// used is what a process says that it asked for, as far as it can be.
func (s *session) used(u render.Used) render.Used {
	out := render.Used{KubeVersion: u.KubeVersion, APIVersions: u.APIVersions}
	for _, name := range u.Build {
		if _, ok := s.in.Build[name]; ok {
			out.Build = append(out.Build, name)
		}
	}
	for _, call := range u.Volatile[:min(len(u.Volatile), maxWarnings)] {
		out.Volatile = append(out.Volatile, clipTo(call, maxWarningText))
	}
	return out
}
