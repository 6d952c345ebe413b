// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/kustomize/api/pkg/util"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

// editor changes a kustomization as the source's fields say.
type editor struct {
	in  render.Input
	ctx context.Context
	k   *types.Kustomization
	// expand returns the folders that a component stands for, none if there is nothing.
	expand func(component string) ([]string, error)
}

// edit makes the edits in the order in which Argo CD makes them, each as the subcommand of `kustomize edit` that is
// named beside it.
func (e editor) edit(source *v1alpha1.ApplicationSourceKustomize) error {
	if source.NamePrefix != "" { // set nameprefix
		e.k.NamePrefix = source.NamePrefix
	}
	if source.NameSuffix != "" { // set namesuffix
		e.k.NameSuffix = source.NameSuffix
	}
	if err := e.images(source.Images); err != nil { // set image
		return err
	}
	if err := e.replicas(source.Replicas); err != nil { // set replicas
		return err
	}
	if err := e.labels(source); err != nil { // add label
		return err
	}
	if err := e.annotations(source); err != nil { // add annotation
		return err
	}
	if source.Namespace != "" { // set namespace
		e.k.Namespace = source.Namespace
	}
	if err := e.patches(source.Patches); err != nil { // kustomize edit has none; they go behind those of the file
		return err
	}
	return e.components(source) // add component
}

func (e editor) mistake(field, cause, fix string) error {
	return fault.New(fault.Mistake, "render", "with Kustomize", e.in.Field("kustomize."+field), cause, fix)
}

func (e editor) images(images v1alpha1.KustomizeImages) error {
	if len(images) == 0 {
		return nil
	}
	byName := map[string]types.Image{}
	for i, image := range images {
		text, err := e.in.Substitute(e.ctx, string(image))
		if err != nil {
			return err
		}
		parsed, ok := parseImage(text)
		if !ok {
			return e.mistake(fmt.Sprintf("images[%d]", i), fmt.Sprintf("%q replaces nothing", text),
				"write name:tag, name@digest, name=newname, name=newname:tag or name=newname@digest")
		}
		byName[parsed.Name] = parsed
	}
	for _, image := range e.k.Images {
		given, ok := byName[image.Name]
		if !ok {
			byName[image.Name] = image
			continue
		}
		byName[image.Name] = kept(given, image)
	}
	e.k.Images = nil
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		e.k.Images = append(e.k.Images, kept(byName[name], types.Image{}))
	}
	return nil
}

// parseImage reads [name=]newname[:tag][@digest]. An image that says nothing new is none.
func parseImage(text string) (types.Image, bool) {
	name, value, renamed := strings.Cut(text, "=")
	if !renamed {
		value = name
	}
	newName, tag, digest := util.SplitImageName(value)
	if !renamed {
		return types.Image{Name: newName, NewTag: tag, Digest: digest}, newName != text
	}
	return types.Image{Name: name, NewName: newName, NewTag: tag, Digest: digest}, newName != ""
}

// kept replaces every "*" by what the kustomization had.
func kept(image, had types.Image) types.Image {
	for _, part := range []struct {
		now *string
		had string
	}{{&image.NewName, had.NewName}, {&image.NewTag, had.NewTag}, {&image.Digest, had.Digest}} {
		if *part.now == "*" {
			*part.now = part.had
		}
	}
	return image
}

func (e editor) replicas(replicas v1alpha1.KustomizeReplicas) error {
	if len(replicas) == 0 {
		return nil
	}
	byName := map[string]types.Replica{}
	for _, r := range e.k.Replicas {
		byName[r.Name] = r
	}
	for i, r := range replicas {
		count, err := e.count(r.Count)
		if err != nil || count < 0 {
			return e.mistake(fmt.Sprintf("replicas[%d].count", i), fmt.Sprintf("%q is no number of replicas", r.Count.String()), "write a whole number from 0")
		}
		byName[r.Name] = types.Replica{Name: r.Name, Count: count}
	}
	e.k.Replicas = nil
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		e.k.Replicas = append(e.k.Replicas, byName[name])
	}
	return nil
}

func (e editor) count(v intstr.IntOrString) (int64, error) {
	if v.Type == intstr.Int {
		return int64(v.IntVal), nil
	}
	text, err := e.in.Substitute(e.ctx, v.StrVal)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 32)
}

func (e editor) labels(source *v1alpha1.ApplicationSourceKustomize) error {
	if len(source.CommonLabels) == 0 {
		return nil
	}
	if source.LabelIncludeTemplates && !source.LabelWithoutSelector {
		return e.mistake("labelIncludeTemplates", "it only has a meaning together with labelWithoutSelector", "set that as well, or remove it")
	}
	for _, key := range slices.Sorted(maps.Keys(source.CommonLabels)) {
		value, err := e.in.Substitute(e.ctx, source.CommonLabels[key])
		if err != nil {
			return err
		}
		if !e.label(key, value, source) {
			return e.mistake("commonLabels."+key, "the kustomization sets this label already", "set forceCommonLabels, or remove one of the two")
		}
	}
	return nil
}

// label adds one label; false if it is there already and not forced.
func (e editor) label(key, value string, source *v1alpha1.ApplicationSourceKustomize) bool {
	if !source.LabelWithoutSelector {
		return put(&e.k.CommonLabels, key, value, source.ForceCommonLabels)
	}
	found := false
	for i := range e.k.Labels {
		if _, ok := e.k.Labels[i].Pairs[key]; ok {
			if !source.ForceCommonLabels {
				return false
			}
			e.k.Labels[i].Pairs[key], found = value, true
		}
	}
	if !found {
		e.k.Labels = append(e.k.Labels, types.Label{Pairs: map[string]string{key: value}, IncludeTemplates: source.LabelIncludeTemplates})
	}
	return true
}

func put(values *map[string]string, key, value string, force bool) bool {
	if _, ok := (*values)[key]; ok && !force {
		return false
	}
	if *values == nil {
		*values = map[string]string{}
	}
	(*values)[key] = value
	return true
}

func (e editor) annotations(source *v1alpha1.ApplicationSourceKustomize) error {
	for _, key := range slices.Sorted(maps.Keys(source.CommonAnnotations)) {
		value := source.CommonAnnotations[key]
		if source.CommonAnnotationsEnvsubst {
			var err error
			if value, err = e.in.Substitute(e.ctx, value); err != nil {
				return err
			}
		}
		if !put(&e.k.CommonAnnotations, key, value, source.ForceCommonAnnotations) {
			return e.mistake("commonAnnotations."+key, "the kustomization sets this annotation already", "set forceCommonAnnotations, or remove one of the two")
		}
	}
	return nil
}

func (e editor) patches(patches v1alpha1.KustomizePatches) error {
	for i, p := range patches {
		patch := types.Patch{Path: p.Path, Patch: p.Patch}
		if t := p.Target; t != nil {
			patch.Target = &types.Selector{
				ResId: resid.ResId{
					Gvk:  resid.Gvk{Group: t.Group, Version: t.Version, Kind: t.Kind},
					Name: t.Name, Namespace: t.Namespace,
				},
				AnnotationSelector: t.AnnotationSelector, LabelSelector: t.LabelSelector,
			}
		}
		for _, option := range slices.Sorted(maps.Keys(p.Options)) {
			if patch.Options == nil {
				patch.Options = &types.PatchArgs{}
			}
			switch option {
			case "allowNameChange":
				patch.Options.AllowNameChange = p.Options[option]
			case "allowKindChange":
				patch.Options.AllowKindChange = p.Options[option]
			default:
				return e.mistake(fmt.Sprintf("patches[%d].options.%s", i, option), "patches have no such option", "use allowNameChange or allowKindChange")
			}
		}
		e.k.Patches = append(e.k.Patches, patch)
	}
	return nil
}

func (e editor) components(source *v1alpha1.ApplicationSourceKustomize) error {
	for _, component := range source.Components {
		found, err := e.expand(component)
		if err != nil {
			return err
		}
		if len(found) == 0 && !source.IgnoreMissingComponents {
			found = []string{component} // that it is missing is said with all other entries
		}
		for _, component := range found {
			if !slices.Contains(e.k.Components, component) {
				e.k.Components = append(e.k.Components, component)
			}
		}
	}
	return nil
}
