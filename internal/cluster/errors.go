// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Reason says why the API server refused or could not be asked. Ask with errors.Is(err, cluster.Conflict).
type Reason string

// The reasons, each with the fault kind it wraps.
const (
	Conflict          Reason = "conflict"            // retry: the object changed, or another manager owns a field
	AlreadyExists     Reason = "already exists"      // retry
	NotFound          Reason = "not found"           // mistake: the object itself is not there, by the API server's word
	NamespaceMissing  Reason = "namespace missing"   // wait
	Terminating       Reason = "terminating"         // wait: the namespace is being deleted
	NoSuchKind        Reason = "no such kind"        // wait: for a CRD, or for its version
	Forbidden         Reason = "forbidden"           // stalled: a right is missing
	QuotaExceeded     Reason = "quota exceeded"      // wait: for what uses it up to go
	NotAdmitted       Reason = "not admitted"        // stalled: a rule of the cluster for all objects, such as pod security, says no
	Unauthorized      Reason = "unauthorized"        // stalled: the credentials are refused
	Invalid           Reason = "invalid"             // mistake: Fields names the fields
	ApplyRefused      Reason = "apply refused"       // mistake: server-side apply cannot merge it; other ways of writing may
	TooLarge          Reason = "too large"           // mistake
	Unsupported       Reason = "unsupported"         // stalled: the kind does not take this kind of request
	WebhookRefused    Reason = "webhook refused"     // mistake: an admission webhook or policy said no; Webhook names it
	WebhookFailed     Reason = "webhook failed"      // retry: it could not be asked
	DryRunUnsupported Reason = "dry run unsupported" // stalled: Webhook has side effects and takes no dry runs
	TooManyRequests   Reason = "too many requests"   // retry, after RetryAfter
	Unavailable       Reason = "unavailable"         // retry: the API server failed
	Unreachable       Reason = "unreachable"         // retry: no answer came
	NotOwned          Reason = "not owned"           // stalled: the object's mark names somebody else, or nobody
)

// Error lets a Reason be a target of errors.Is.
func (r Reason) Error() string { return string(r) }

// Error is a refused or failed request. It unwraps to a *fault.Error and to nothing of the client library, whose
// messages may quote a Secret.
type Error struct {
	Reason     Reason
	Webhook    string   // name of the webhook or policy
	Fields     []string // of Invalid: the fields, as paths
	RetryAfter time.Duration
	fault      *fault.Error
}

func (e *Error) Error() string { return e.fault.Error() }

// Unwrap returns the fault.
func (e *Error) Unwrap() error { return e.fault }

// Is reports whether target is this error's Reason.
func (e *Error) Is(target error) bool { return target == e.Reason }

func newError(reason Reason, kind fault.Kind, op, thing, cause, fix string) *Error {
	return &Error{Reason: reason, fault: fault.New(kind, op, thing, "", cause, fix)}
}

// rule is how one reason is told: its kind and what to do.
type rule struct {
	kind fault.Kind
	fix  string
}

var rules = map[Reason]rule{
	Conflict:          {fault.Retry, ""},
	AlreadyExists:     {fault.Retry, ""},
	NotFound:          {fault.Mistake, ""},
	NamespaceMissing:  {fault.Wait, "create the namespace or set the sync option CreateNamespace=true"},
	Terminating:       {fault.Wait, "wait until the namespace is deleted"},
	NoSuchKind:        {fault.Wait, "install the CustomResourceDefinition, or write a version that the cluster serves"},
	Forbidden:         {fault.Stalled, "grant this right to the account Bowline uses on the cluster"},
	QuotaExceeded:     {fault.Wait, "raise the ResourceQuota, or remove what uses it up"},
	NotAdmitted:       {fault.Stalled, "change the manifest, or the rule that refuses it"},
	Unauthorized:      {fault.Stalled, "renew the credentials in the cluster's Secret"},
	Invalid:           {fault.Mistake, "correct the manifest"},
	ApplyRefused:      {fault.Mistake, "correct the manifest"},
	TooLarge:          {fault.Mistake, "make the object smaller"},
	Unsupported:       {fault.Stalled, ""},
	WebhookRefused:    {fault.Mistake, "change the manifest or the policy"},
	WebhookFailed:     {fault.Retry, "see whether the webhook's service runs"},
	DryRunUnsupported: {fault.Stalled, "declare sideEffects: None on the webhook"},
	TooManyRequests:   {fault.Retry, ""},
	Unavailable:       {fault.Retry, ""},
	Unreachable:       {fault.Retry, ""},
}

// wrap turns the client library's error into one of ours.
func (t target) wrap(op string, err error) error {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		cause := fmt.Sprintf("cluster %s does not answer: %s", t.cluster, networkCause(err))
		return newError(Unreachable, fault.Retry, op, t.key.String(), cause, "")
	}
	s := status.Status()
	message := s.Message
	webhook := webhookName(message)
	reason := t.reasonOf(s, webhook)
	if t.secret() {
		message = t.redact(message, webhook)
	}
	rule := rules[reason]
	if reason == Forbidden {
		rule.fix = t.fixForbidden(message)
	}
	out := newError(reason, rule.kind, op, t.key.String(), message, rule.fix)
	out.Webhook = webhook
	if reason == Invalid && s.Details != nil {
		for _, cause := range s.Details.Causes {
			if cause.Field != "" && !slices.Contains(out.Fields, cause.Field) {
				out.Fields = append(out.Fields, cause.Field)
			}
		}
		out.fault.Where = strings.Join(out.Fields, ", ")
	}
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		out.RetryAfter = time.Duration(seconds) * time.Second
	}
	return out
}

// networkCause drops the request's URL, which says nothing a person needs.
func networkCause(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err.Error()
}

func (t target) reasonOf(s metav1.Status, webhook string) Reason {
	if reason := reasonByMessage(s, webhook); reason != "" {
		return reason
	}
	switch {
	case s.Code == http.StatusNotFound:
		return t.notFound(s)
	case s.Reason == metav1.StatusReasonAlreadyExists:
		return AlreadyExists
	case s.Code == http.StatusConflict:
		return Conflict
	case s.Code == http.StatusForbidden && hasCause(s, corev1.NamespaceTerminatingCause):
		return Terminating
	case s.Code == http.StatusForbidden:
		return Forbidden
	case s.Code == http.StatusUnauthorized:
		return Unauthorized
	case s.Code == http.StatusTooManyRequests:
		return TooManyRequests
	case s.Code == http.StatusRequestEntityTooLarge:
		return TooLarge
	case s.Code == http.StatusMethodNotAllowed, s.Code == http.StatusUnsupportedMediaType, s.Code == http.StatusNotAcceptable:
		return Unsupported
	case s.Code == http.StatusUnprocessableEntity, s.Code == http.StatusBadRequest:
		return Invalid
	default:
		return Unavailable
	}
}

// reasonByMessage recognises what the API server says only in words.
func reasonByMessage(s metav1.Status, webhook string) Reason {
	switch text := s.Message; {
	case strings.Contains(text, "does not support dry run"), strings.Contains(text, "side effects") && strings.Contains(text, "dry"):
		return DryRunUnsupported
	case strings.Contains(text, "failed calling webhook"):
		return WebhookFailed
	case webhook != "":
		return WebhookRefused
	case strings.Contains(text, "failed to create typed patch object"), strings.Contains(text, "failed to create manager for existing fields"),
		strings.Contains(text, "metadata.managedFields must be nil"), strings.Contains(text, "failed to convert new object"):
		return ApplyRefused
	case s.Code == http.StatusForbidden && strings.Contains(text, "exceeded quota:"), s.Code == http.StatusForbidden && strings.Contains(text, "failed quota:"):
		return QuotaExceeded
	case s.Code == http.StatusForbidden && notAdmitted.MatchString(text):
		return NotAdmitted
	case strings.Contains(text, "etcdserver: request is too large"), strings.Contains(text, "trying to send message larger than max"):
		return TooLarge
	}
	return ""
}

// notFound keeps apart the object that is not there, its namespace, and an address that nobody serves. Only the API
// server's own word about this very object makes it absent: a proxy's 404 does not.
func (t target) notFound(s metav1.Status) Reason {
	if s.Details == nil || s.Details.Name == "" || hasCause(s, metav1.CauseTypeUnexpectedServerResponse) {
		return NoSuchKind
	}
	if s.Details.Kind == "namespaces" && s.Details.Name == t.key.Namespace && t.res.GVK.Kind != "Namespace" {
		return NamespaceMissing
	}
	return NotFound
}

func hasCause(s metav1.Status, cause metav1.CauseType) bool {
	return s.Details != nil && slices.ContainsFunc(s.Details.Causes, func(c metav1.StatusCause) bool { return c.Type == cause })
}

// notAdmitted are the words of the API server's own admission plugins, which answer 403 as a missing right does
// (https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/): PodSecurity, LimitRanger, ServiceAccount.
var notAdmitted = regexp.MustCompile(`violates PodSecurity "|(minimum|maximum) (cpu|memory|\S*storage|\S+) usage per |error looking up service account |no PriorityClass with name `)

var (
	webhookPattern = regexp.MustCompile(`webhook "([^"]+)"`)
	policyPattern  = regexp.MustCompile(`(?:Validating|Mutating)AdmissionPolicy '([^']+)'`)
)

func webhookName(message string) string {
	for _, pattern := range []*regexp.Regexp{webhookPattern, policyPattern} {
		if m := pattern.FindStringSubmatch(message); m != nil {
			return m[1]
		}
	}
	return ""
}

var (
	quoted     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	gotValue   = regexp.MustCompile(`(?s)(expected [^,]*, got ).*`) // the merge library prints what it got
	namedField = regexp.MustCompile(`^"[A-Za-z0-9_.\-\[\]/:]{1,128}"$`)
)

// redact takes everything out of a message about a Secret that may be one of its values: what a webhook wrote, and
// whatever is quoted but is no name of the object's own.
func (t target) redact(message, webhook string) string {
	if webhook != "" {
		return fmt.Sprintf("admission webhook or policy %q refused the Secret; its message is left out, for it may hold values", webhook)
	}
	message = gotValue.ReplaceAllString(fault.RedactValues(message), "${1}[redacted]")
	known := []string{t.key.Name, t.key.Namespace, "secrets", "Secret"}
	return quoted.ReplaceAllStringFunc(message, func(text string) string {
		inner := text[1 : len(text)-1]
		if slices.Contains(known, inner) || (strings.HasPrefix(inner, "system:") || strings.HasPrefix(inner, "data.")) && namedField.MatchString(text) {
			return text
		}
		return `"[redacted]"`
	})
}
