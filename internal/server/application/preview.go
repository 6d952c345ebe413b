// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
)

// Unsaved renders and plans applications as they are given, whatever the control plane has of their names.
type Unsaved interface {
	// Wrong says what is wrong with the fields of an application, without a look at what its sources hold.
	Wrong(ctx context.Context, app *v1alpha1.Application) []Wrong
	// Outlook returns what an application asks for, and what its next sync would do. plan is nil with an error that says why it is
	// not known; then what it asks for is there all the same, if that is known.
	Outlook(ctx context.Context, app *v1alpha1.Application) (asked Rendered, plan *bowline.Plan, err error)
	// Asked returns what an application asks for, at the revisions of its sources, or with nil at those that they name.
	Asked(ctx context.Context, app *v1alpha1.Application, revisions []string) (Rendered, error)
}

// Wrong is what is wrong with a field of an application.
type Wrong struct {
	Field string
	Err   error
}

// Preview says what is wrong with an application that is not saved, or what would become of it. The caller needs the rights to
// save it, and to see it. Nothing is written.
func (s *Service) Preview(ctx context.Context, request *bowline.PreviewRequest) (*bowline.PreviewAnswer, error) {
	app := s.asWritten(&request.Application)
	existing, err := s.mayPreview(ctx, app)
	if err != nil {
		return nil, err
	}
	out := &bowline.PreviewAnswer{Exists: existing != nil}
	if out.Problems = s.problems(ctx, app); len(out.Problems) > 0 {
		return out, nil
	}
	if existing != nil {
		app = becomes(existing, app)
	}
	done, err := s.turns.take(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	asked, plan, err := s.Unsaved.Outlook(ctx, app)
	if ctx.Err() != nil {
		return nil, fault.Wrap(fault.Retry, "preview", thing(app), ctx.Err(), "try again")
	}
	if err != nil {
		out.Problems = []bowline.Problem{problemOf("", err)}
	}
	out.Plan, out.SourceTypes = plan, asked.SourceTypes
	for _, u := range asked.Objects {
		text, err := json.Marshal(s.masked(u).Object)
		if err != nil {
			return nil, fault.Wrap(fault.Bug, "write", "a manifest of "+thing(app), err, "")
		}
		out.Manifests = append(out.Manifests, string(text))
	}
	return out, nil
}

// mayPreview asks for the rights to save an application, and returns the one of its name that is there; nil if none is.
func (s *Service) mayPreview(ctx context.Context, app *v1alpha1.Application) (*v1alpha1.Application, error) {
	existing := &v1alpha1.Application{}
	err := errNoName
	if s.Served(app.Namespace) && len(validation.IsDNS1123Subdomain(app.Name)) == 0 { // no other name can be asked for
		err = s.Hub.Get(ctx, client.ObjectKeyFromObject(app), existing)
	}
	switch {
	case errors.Is(err, errNoName), apierrors.IsNotFound(err):
		return nil, s.maySave(ctx, app, access.Create)
	case err != nil:
		return nil, fault.Wrap(fault.Retry, "read", thing(app), err, "try again")
	case !s.Gate.Allows(ctx, s.right(access.Applications, access.Get, existing)):
		if err := s.Gate.Enforce(ctx, s.right(access.Applications, access.Create, app)); err != nil {
			return nil, err
		}
		return nil, gate.Hidden() // as Create answers
	}
	if err := s.Gate.Enforce(ctx, s.right(access.Applications, access.Update, existing)); err != nil {
		return nil, err
	}
	if projectOf(existing) != projectOf(app) {
		return existing, s.maySave(ctx, app, access.Create, access.Update)
	}
	return existing, nil
}

// maySave asks for the rights to save an application in its project, and for the one to see it there: what is shown is of the project's
// repositories and clusters.
func (s *Service) maySave(ctx context.Context, app *v1alpha1.Application, actions ...string) error {
	for _, action := range append(actions, access.Get) {
		if err := s.Gate.Enforce(ctx, s.right(access.Applications, action, app)); err != nil {
			return err
		}
	}
	return nil
}

var errNoName = errors.New("no application can have that name")

// becomes is an application as it would be once what people wrote of it is saved.
func becomes(existing, app *v1alpha1.Application) *v1alpha1.Application {
	out := existing.DeepCopy()
	out.Spec, out.Labels, out.Annotations = app.Spec, app.Labels, app.Annotations
	return out
}

// problems says what is wrong with the fields of an application.
func (s *Service) problems(ctx context.Context, app *v1alpha1.Application) (out []bowline.Problem) {
	if len(validation.IsDNS1123Subdomain(app.Name)) > 0 {
		problem := bowline.Problem{Field: "metadata.name", Message: fmt.Sprintf("no application can be named %q", app.Name), Fix: "write lower case letters, digits and -"}
		if app.Name == "" {
			problem.Message, problem.Fix = "it is empty", "name the application"
		}
		out = append(out, problem)
	}
	if err := s.admissible(ctx, app); err != nil {
		out = append(out, problemOf("", err))
	}
	for _, wrong := range s.Unsaved.Wrong(ctx, app) {
		if problem := problemOf(wrong.Field, wrong.Err); len(out) == 0 || !hasField(out, problem.Field) {
			out = append(out, problem)
		}
	}
	return out
}

func hasField(problems []bowline.Problem, field string) bool {
	for _, p := range problems {
		if p.Field == field {
			return true
		}
	}
	return false
}

// problemOf is an error as a form shows it, at a field if it names one.
func problemOf(field string, err error) bowline.Problem {
	out := bowline.Problem{Field: field, Message: err.Error()}
	said := (*fault.Error)(nil)
	if !errors.As(err, &said) || said.Err == nil {
		out.Message = strings.TrimLeft(strings.TrimPrefix(out.Message, field), ": ")
		return out
	}
	if strings.HasPrefix(said.Where, "spec.") || strings.HasPrefix(said.Where, "metadata.") {
		out.Field = said.Where
	}
	without := *said
	without.Fix, out.Fix = "", said.Fix
	switch out.Field {
	case "":
		out.Message = without.Error()
	case said.Where:
		out.Message = fmt.Sprint(said.Err)
	}
	return out
}
