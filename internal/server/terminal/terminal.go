// SPDX-License-Identifier: Apache-2.0

// Package terminal lets people type into containers of applications, through a WebSocket at /terminal, in the messages of Argo
// CD's page.
//
// The words of this room:
//
//   - Container: where a terminal is to be opened, as the page names it.
//   - Door: whoever knows applications: it says whether a caller may enter a container, and lets them in.
//   - Session: one terminal, from its opening to its end. It ends with the shell, with the connection, after the time that
//     settings give it, and when the caller may not be there any more.
package terminal

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"

	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/transport"
	"github.com/bowline-cd/bowline/internal/settings"
)

// Container is where a terminal is to be opened.
type Container struct {
	Application, AppNamespace, Project string
	Namespace, Pod, Name               string
}

// String names the container, by its application.
func (c Container) String() string {
	return strings.Trim(strings.Join([]string{c.Application, c.Namespace, c.Pod, c.Name}, "/"), "/")
}

// Door lets callers into containers.
type Door interface {
	// Enter checks whether the caller of ctx may open a terminal in the container, and that it runs. run carries out a command
	// there. The context that comes with it ends when the caller may not be there any more; leave gives it back.
	Enter(ctx context.Context, to Container) (inside context.Context, leave func(), run func(context.Context, cluster.ExecOptions) error, err error)
}

// Options are what a Handler is made with.
type Options struct {
	Door Door
	// Authenticate returns the context of a request with its caller.
	Authenticate func(*http.Request) (context.Context, error)
	// Settings returns those of the moment.
	Settings func() *settings.Settings
	// Audit is told of each terminal that was opened, with nil, and of each that was not, with why. It may be nil.
	Audit func(context.Context, Container, error)
	Log   *slog.Logger
}

// most is how many terminals are open at once: each holds two connections.
const most = 200

// Handler opens terminals.
type Handler struct {
	Options
	places chan struct{}
}

// New returns a Handler.
func New(opts Options) *Handler { return &Handler{Options: opts, places: make(chan struct{}, most)} }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, err := h.Authenticate(r)
	if err == nil {
		if _, known := auth.From(ctx); !known {
			err = errors.New("nobody signed in")
		}
	}
	if err != nil {
		h.audit(r.Context(), Container{}, auth.Rejected(err))
		transport.RefuseNobody(w)
		return
	}
	if !h.Settings().Doing.Terminal {
		refuse(w, http.StatusNotFound, "terminals are turned off (exec.enabled in argocd-cm)")
		return
	}
	to, err := containerOf(r.URL.Query())
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		refuse(w, http.StatusTooManyRequests, "too many terminals are open")
		return
	}
	inside, leave, run, err := h.Door.Enter(ctx, to)
	if err != nil {
		h.audit(ctx, to, err)
		refuse(w, statusOf(err), err.Error())
		return
	}
	defer leave()
	h.open(inside, w, r, to, run)
}

// open upgrades the connection. A page of another origin is refused: browsers send cookies along with it.
func (h *Handler) open(ctx context.Context, w http.ResponseWriter, r *http.Request, to Container, run func(context.Context, cluster.ExecOptions) error) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: h.origins()})
	h.audit(ctx, to, err)
	if err != nil {
		return // it was answered
	}
	defer func() { _ = conn.CloseNow() }()
	doing := h.Settings().Doing
	if doing.TerminalTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, doing.TerminalTimeout, errTime)
		defer cancel()
	}
	caller, _ := auth.From(ctx)
	log := h.Log.WithGroup("audit").With("actor", caller.Name(), "verb", "exec", "application", to.Application, "namespace", to.Namespace,
		"pod", to.Pod, "container", to.Name)
	err = newSession(conn).serve(ctx, shellsOf(doing.TerminalShells, r.URL.Query().Get("shell")), run)
	log.Info("a terminal ended", "reason", reasonOf(err))
}

func (h *Handler) audit(ctx context.Context, to Container, err error) {
	if h.Audit != nil {
		h.Audit(ctx, to, err)
	}
}

var errTime = errors.New("the time for one terminal is over")

// origins are the pages that may open terminals, beside those that this server serves.
func (h *Handler) origins() []string {
	u, err := url.Parse(h.Settings().Showing.URL)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Scheme + "://" + u.Host}
}

// shellsOf are the shells to try: the one that was asked for, if it is allowed, else all that are.
func shellsOf(allowed []string, asked string) []string {
	if slices.Contains(allowed, asked) {
		return []string{asked}
	}
	return allowed
}

// containerOf reads the query of the page.
func containerOf(q url.Values) (Container, error) {
	c := Container{
		Application: q.Get("appName"), AppNamespace: q.Get("appNamespace"), Project: q.Get("projectName"),
		Namespace: q.Get("namespace"), Pod: q.Get("pod"), Name: q.Get("container"),
	}
	for _, field := range []struct{ name, value string }{
		{"pod", c.Pod}, {"container", c.Name}, {"appName", c.Application}, {"projectName", c.Project}, {"namespace", c.Namespace},
	} {
		switch {
		case field.value == "":
			return c, errors.New("Missing required parameters: " + field.name) // as Argo CD's page knows it
		case len(utilvalidation.IsDNS1123Subdomain(field.value)) > 0:
			return c, errors.New(field.name + " is not valid")
		}
	}
	if c.AppNamespace != "" && len(utilvalidation.IsDNS1123Label(c.AppNamespace)) > 0 {
		return c, errors.New("appNamespace is not valid")
	}
	return c, nil
}

func statusOf(err error) int {
	switch code := fault.CodeOf(err); {
	case code == fault.NotFound:
		return http.StatusNotFound
	case fault.Is(err, fault.Forbidden):
		return http.StatusForbidden
	case fault.Is(err, fault.Mistake):
		return http.StatusBadRequest
	}
	return http.StatusServiceUnavailable
}

// writeTime bounds one message to the page, and how long it may take to answer a ping.
const writeTime = 10 * time.Second
