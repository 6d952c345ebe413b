// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/bowline-cd/bowline/internal/cli/render"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// maxLocal bounds the manifests of one request: they travel in the Application, which has to fit into the API server's
// store twice over.
const maxLocal = 512 << 10

// local renders a folder of this disk in the place of a repository, by the settings of the control namespace, and returns
// the manifests.
func local(ctx context.Context, s *session.Session, renderer render.Renderer, opts Options, name string) ([]string, error) {
	thing := "from the folder " + opts.Local
	result, err := renderer.Render(ctx, render.Request{Session: s, Live: s.Qualified(name), Local: opts.Local, LocalSource: opts.LocalSource})
	if err != nil {
		return nil, err
	}
	if len(result.Objects) == 0 {
		return nil, fault.New(fault.Mistake, "sync", thing, "", "nothing was rendered from it", "see with `bowline render --app "+name+" --local "+opts.Local+" --explain` which files were looked at")
	}
	var out []string
	size := 0
	for _, o := range result.Objects {
		if isSecret(o.Content) {
			return nil, fault.New(fault.Forbidden, "sync", thing, fmt.Sprintf("%s:%d", o.File, o.Line), "it holds a Secret, whose values everybody who may read the Application could read",
				"commit and push it")
		}
		text, err := json.Marshal(o.Content)
		if err != nil {
			return nil, fault.Wrap(fault.Bug, "sync", thing, err, "")
		}
		size += len(text)
		out = append(out, string(text))
	}
	if size > maxLocal {
		return nil, fault.New(fault.Mistake, "sync", thing, "", fmt.Sprintf("its manifests are %d KiB, and %d KiB fit into an Application", size>>10, maxLocal>>10), "commit and push them")
	}
	return out, nil
}

// isSecret reports whether a manifest is a Secret with values.
func isSecret(content map[string]any) bool {
	return content["kind"] == "Secret" && content["apiVersion"] == "v1" && (content["data"] != nil || content["stringData"] != nil)
}
