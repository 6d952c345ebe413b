// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// refused says that an entry of a kustomization cannot stand.
func (s *scout) refused(n *node, field string, cause error) *fault.Error {
	fix := "correct the entry and push"
	switch {
	case errors.Is(cause, errFileAddress):
		fix = "write a path of the repository, or the address of a repository"
	case errors.Is(cause, errSecret):
		fix = "take the password out of the repository and give it to Bowline as the credential of that repository"
	}
	return &fault.Error{Kind: fault.Mistake, Op: "use", Thing: field, Where: s.where(n, field), Err: cause, Fix: fix}
}

// unreadable says which field asked for what could not be read, if that is a mistake of the repository's.
func (s *scout) unreadable(n *node, field string, err error) error {
	var escape *tree.EscapeError
	if !errors.As(err, &escape) && !errors.Is(err, tree.ErrLinks) {
		return err
	}
	refused := s.refused(n, field, err)
	refused.Fix = "keep paths and links inside of the repository"
	return refused
}

// where names the file, and the line of the field if it stands in it.
func (s *scout) where(n *node, field string) string {
	at := s.display(n.file)
	if line := lineOf(n.content, field); line > 0 {
		return fmt.Sprintf("%s:%d", at, line)
	}
	return at
}

// whereField names file, line and field, for who asks for a Need.
func (s *scout) whereField(n *node, field string) string {
	return s.where(n, field) + " (" + field + ")"
}

var step = regexp.MustCompile(`[^.\[\]]+`)

// lineOf finds the line of a field such as patches[2].path in a YAML file; 0 if it is not there.
func lineOf(content []byte, field string) int {
	root, err := yaml.Parse(string(content))
	if err != nil {
		return 0
	}
	at, line := root.YNode(), 0
	for _, name := range step.FindAllString(field, -1) {
		if at = below(at, name); at == nil {
			return line
		}
		line = at.Line
	}
	return line
}

func below(n *yaml.Node, name string) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i < len(n.Content) {
			return n.Content[i]
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return n.Content[i+1]
			}
		}
	}
	return nil
}

var (
	unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)
	yamlLine     = regexp.MustCompile(`line (\d+)`)
	wrongType    = regexp.MustCompile(`cannot unmarshal (\w+) into Go struct field (\S+) of type (\S+)`)
)

// invalid says what is wrong with a kustomization file. The library's text quotes no value.
func (s *scout) invalid(n *node, err error) error {
	text := strings.TrimPrefix(err.Error(), "invalid Kustomization: ")
	out := &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the kustomization", Where: s.display(n.file), Err: errors.New(text),
		Fix: "correct the file and push"}
	if m := unknownField.FindStringSubmatch(text); m != nil {
		out.Err = fmt.Errorf("kustomizations have no field %q", m[1])
		if line := keyLine(n.content, m[1]); line > 0 {
			out.Where = fmt.Sprintf("%s:%d", out.Where, line)
		}
	} else if m := wrongType.FindStringSubmatch(text); m != nil {
		_, field, _ := strings.Cut(m[2], ".")
		out.Err = fmt.Errorf("field %s is a %s, and has to be of type %s", field, m[1], m[3])
		if line := lineOf(n.content, field); line > 0 {
			out.Where = fmt.Sprintf("%s:%d", out.Where, line)
		}
	} else if m := yamlLine.FindStringSubmatch(text); m != nil {
		out.Where += ":" + m[1]
	}
	return out
}

// keyLine finds the first line on which a key stands.
func keyLine(content []byte, key string) int {
	for i, line := range strings.Split(string(content), "\n") {
		name, _, ok := strings.Cut(strings.TrimLeft(line, " -"), ":")
		if ok && strings.Trim(name, `"' `) == key {
			return i + 1
		}
	}
	return 0
}
