// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// place is where a value file lies.
type place struct {
	field string // of the source, that names it
	text  string // as it stands there
	// ref is the name of the source whose tree it lies in; "" is the application's own. path is the path there, with links.
	ref  string
	tree tree.Tree
	path string
	// url is its address if it lies in no tree; waiting is true if it has to be fetched first.
	url     string
	waiting bool
}

// String names the file for people.
func (p place) String() string {
	switch {
	case p.url != "":
		return fault.RedactURL(p.url)
	case p.ref != "":
		return "$" + p.ref + "/" + p.path
	default:
		return p.path
	}
}

// base is what the path is relative to.
func (p place) base() string {
	if p.ref != "" || strings.HasPrefix(p.text, "/") {
		return "the root of the repository"
	}
	return "the chart"
}

// same reports whether two places are the same file.
func (p place) same(o place) bool { return p.ref == o.ref && p.path == o.path && p.url == o.url }

var address = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*://`)

// place finds out where a path of a source leads: into the tree of another source ($ref/…), to an address, from the root
// of the source's own tree (/…), or from the folder of the chart. Variables of the build environment are put in.
func (j *job) place(ctx context.Context, text, field string) (place, error) {
	at := place{field: field, text: text, tree: j.in.Tree}
	dir, rest := j.release.Dir, text
	if name, below, ok := reference(text); ok {
		t, known := j.in.Refs[name]
		switch {
		case known:
			at.ref, at.tree, dir, rest = name, t, "", below
		case !j.isVariable(name):
			return place{}, fault.New(fault.Mistake, "render", j.thing(), field,
				fmt.Sprintf("%q names source %q, and no source of the application has this ref", text, name), "give the source that holds the file ref: "+name)
		}
	}
	rest, err := j.in.Substitute(ctx, rest)
	if err != nil {
		return place{}, err
	}
	if at.ref == "" && address.MatchString(rest) {
		return j.remotePlace(at, rest)
	}
	if strings.HasPrefix(rest, "/") {
		dir = ""
	}
	full := path.Join("./"+dir, strings.TrimLeft(rest, "/"))
	cleaned, ok := tree.Clean(full)
	if !ok || strings.ContainsRune(full, 0) {
		return place{}, j.outside(at)
	}
	at.path = cleaned
	return at, nil
}

var variable = regexp.MustCompile(`^[A-Za-z0-9_]*`)

// isVariable reports whether $text begins with a variable of the build environment.
func (j *job) isVariable(text string) bool {
	name := variable.FindString(text)
	_, ok := j.in.Build[name]
	return ok || name == render.BuildKubeVersion || name == render.BuildAPIVersions
}

// reference splits $name/rest.
func reference(text string) (name, rest string, ok bool) {
	name, ok = strings.CutPrefix(text, "$")
	if !ok || strings.HasPrefix(name, "{") || strings.HasPrefix(name, "$") {
		return "", "", false
	}
	name, rest, _ = strings.Cut(name, "/")
	return name, rest, true
}

func (j *job) remotePlace(at place, url string) (place, error) {
	scheme, _, _ := strings.Cut(url, "://")
	if !slices.Contains(j.in.Options.ValuesFileSchemes, strings.ToLower(scheme)) {
		return place{}, fault.New(fault.Forbidden, "render", j.thing(), at.field,
			fmt.Sprintf("files at %s addresses are not allowed", scheme), "put the file into the repository, or add the scheme to helm.valuesFileSchemes in argocd-cm")
	}
	at.url, at.path = url, render.FileName
	remote, ok := j.in.Remote(j.fileNeed(at))
	at.tree, at.waiting = remote.Tree, !ok
	return at, nil
}

func (j *job) fileNeed(at place) render.Need {
	return render.Need{Kind: render.NeedFile, URL: at.url, Where: at.field}
}

func (j *job) outside(at place) error {
	return fault.New(fault.Mistake, "render", j.thing(), at.field, fmt.Sprintf("%q leads out of the repository", at.text),
		"write a path relative to the chart, or from the root of the repository with a / in front")
}

// readPlace returns the content of a file; found is false if there is none. A file that has to be fetched first becomes a
// need.
func (j *job) readPlace(ctx context.Context, at place) (f file, found bool, err error) {
	if at.waiting {
		j.need(j.fileNeed(at))
		return file{}, false, nil
	}
	target, entry, err := tree.Resolve(ctx, at.tree, at.path)
	switch {
	case errors.Is(err, tree.ErrAbsent):
		return file{}, false, nil
	case err != nil:
		return file{}, false, j.unreadable(at.String(), err)
	case entry.Mode == tree.Dir || entry.Mode == tree.Submodule:
		return file{}, false, fault.New(fault.Mistake, "render", j.thing(), at.field, fmt.Sprintf("%s is a folder", at), "name a file")
	}
	data, err := j.read(ctx, at.tree, target, at.String())
	return file{name: at.text, at: at.String(), data: data}, err == nil, err
}

func (j *job) noFile(at place, fix string) error {
	return fault.New(fault.Mistake, "render", j.thing(), at.field, fmt.Sprintf("there is no file %s", at), fix)
}

// valueFiles reads the value files of a source in their order. A pattern stands for the files it matches that no earlier
// one did; a file that is listed by its own name too has its place there
// (https://argo-cd.readthedocs.io/en/latest/user-guide/helm/#deduplication).
func (j *job) valueFiles(ctx context.Context, s *v1alpha1.ApplicationSourceHelm) ([]file, error) {
	places, listed, err := j.listed(ctx, s.ValueFiles)
	if err != nil {
		return nil, err
	}
	var files []file
	var matched []place
	for i, at := range places {
		chosen := []place{at}
		if !listed[i] {
			if chosen, err = j.glob(ctx, at); err != nil {
				return nil, err
			}
			if len(chosen) == 0 && !s.IgnoreMissingValueFiles {
				return nil, fault.New(fault.Mistake, "render", j.thing(), at.field, fmt.Sprintf("the pattern %q matches no file", at.text),
					"correct it, or set "+j.in.Field("helm.ignoreMissingValueFiles"))
			}
			chosen = slices.DeleteFunc(chosen, func(p place) bool {
				return slices.ContainsFunc(matched, p.same) || containsListed(places, listed, p)
			})
			matched = append(matched, chosen...)
		}
		for _, at := range chosen {
			f, found, err := j.readPlace(ctx, at)
			switch {
			case err != nil:
				return nil, err
			case found:
				files = append(files, f)
			case !at.waiting && !s.IgnoreMissingValueFiles:
				return nil, j.noFile(at, "correct the path, which is relative to "+at.base()+", or set "+j.in.Field("helm.ignoreMissingValueFiles"))
			}
		}
	}
	return files, nil
}

// listed returns the places of a list, and which of them are files by their own name and not patterns.
func (j *job) listed(ctx context.Context, texts []string) (places []place, listed []bool, err error) {
	for i, text := range texts {
		at, err := j.place(ctx, text, j.in.Field(fmt.Sprintf("helm.valueFiles[%d]", i)))
		if err != nil {
			return nil, nil, err
		}
		pattern := at.url == "" && isPattern(at.path)
		if pattern { // a file may have the name of a pattern
			if _, err := at.tree.Lookup(ctx, at.path); err == nil {
				pattern = false
			} else if !errors.Is(err, tree.ErrAbsent) {
				return nil, nil, err
			}
		}
		places = append(places, at)
		listed = append(listed, !pattern)
	}
	return places, listed, nil
}

func containsListed(places []place, listed []bool, p place) bool {
	for i, at := range places {
		if listed[i] && at.same(p) {
			return true
		}
	}
	return false
}
