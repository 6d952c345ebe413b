// SPDX-License-Identifier: Apache-2.0

package server

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"golang.org/x/sync/semaphore"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/source"
)

const (
	defaultWebhookBytes = 50 << 20
	// webhookBudget is how many bytes of bodies may be in memory at once, all callers together: anyone may call.
	webhookBudget = 64 << 20
)

// webhook answers POST /api/webhook.
type webhook struct {
	parse  func(http.Header, url.Values, []byte) ([]string, error)
	hint   func(string)
	max    func() int64
	budget *semaphore.Weighted
	log    *slog.Logger
}

func newWebhook(opts Options, log *slog.Logger) *webhook {
	h := &webhook{
		parse: opts.Webhook, hint: opts.Hint, max: opts.MaxWebhookBytes,
		budget: semaphore.NewWeighted(webhookBudget), log: log,
	}
	if h.max == nil {
		h.max = func() int64 { return defaultWebhookBytes }
	}
	return h
}

func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "webhooks are sent by POST")
		return
	}
	limit := h.max()
	if r.ContentLength > limit {
		refuse(w, http.StatusRequestEntityTooLarge, tooLarge(limit))
		return
	}
	// A body of unknown length is counted as the largest one. Who finds no room is not made to wait: a place in a queue is a
	// thing to hold as well, and providers call again.
	weight := r.ContentLength
	if weight < 0 {
		weight = limit
	}
	weight = min(max(weight, 1), webhookBudget)
	if !h.budget.TryAcquire(weight) {
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "too many webhooks at once, call again")
		return
	}
	defer h.budget.Release(weight)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
		refuse(w, http.StatusRequestEntityTooLarge, tooLarge(limit))
		return
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "the body ended early")
		return
	}
	h.take(w, r, body)
}

func tooLarge(limit int64) string {
	return fmt.Sprintf("the body is larger than %d MB (webhook.maxPayloadSizeMB of argocd-cm)", limit>>20)
}

// take passes on what the call says.
func (h *webhook) take(w http.ResponseWriter, r *http.Request, body []byte) {
	urls, err := h.parse(r.Header, r.URL.Query(), body)
	switch {
	case errors.Is(err, source.ErrNotAPush):
		answer(w, http.StatusOK, map[string]any{"message": "this event is not about a push; nothing to do"})
		return
	case err != nil:
		h.log.Warn("a webhook was refused", "error", err)
		refuseError(w, err)
		return
	}
	for _, address := range urls {
		h.log.Debug("webhook", "repository", fault.RedactURL(address))
		h.hint(address)
	}
	answer(w, http.StatusOK, map[string]any{"message": "thank you, the repository is looked at now"})
}
