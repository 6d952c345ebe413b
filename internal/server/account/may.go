// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"fmt"
	"strings"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
)

var _ bowline.Access = (*Service)(nil)

// maxRights is how many rights one call may ask for.
const maxRights = 200

// May says which of some rights the caller has.
func (s *Service) May(ctx context.Context, request *bowline.MayQuery) (*bowline.MayAnswer, error) {
	if len(request.Rights) > maxRights {
		return nil, &fault.Error{Kind: fault.Mistake, Code: fault.TooLarge, Op: "say", Thing: "what is allowed", Where: "rights",
			Err: fmt.Errorf("there are %d of them", len(request.Rights)), Fix: fmt.Sprintf("ask for at most %d at once", maxRights)}
	}
	out := &bowline.MayAnswer{Allowed: make([]bool, len(request.Rights))}
	for i, text := range request.Rights {
		right, err := s.rightIn(text)
		if err != nil {
			return nil, err
		}
		out.Allowed[i] = s.Gate.Allows(ctx, right)
	}
	return out, nil
}

// rightIn reads a right as policies write it: "applications, sync, default/web".
func (s *Service) rightIn(text string) (access.Right, error) {
	parts := strings.SplitN(text, ",", 3)
	if len(parts) != 3 {
		return access.Right{}, fault.New(fault.Mistake, "say", "what is allowed", "rights", fmt.Sprintf("%q is no right", text), "write it as applications, sync, default/web")
	}
	return s.rightOf(strings.TrimSpace(parts[0]), strings.TrimSpace(parts[1]), strings.TrimSpace(parts[2]))
}
