// SPDX-License-Identifier: Apache-2.0

package attention

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/v1alpha1"
	"github.com/bowline-cd/bowline/internal/plan"
)

// longest is how many characters a reason has at most.
const longest = 200

// sentence brings a text into one line of bounded length, without what a terminal or a page would take for more than text.
func sentence(text string) string {
	if len(text) > 4*longest*utf8.UTFMax {
		text = text[:4*longest*utf8.UTFMax]
	}
	text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, text)), " ")
	text = begun(text)
	if utf8.RuneCountInString(text) <= longest {
		return text
	}
	text = string([]rune(text)[:longest-1])
	if cause := strings.LastIndex(text, "; "); cause > 0 {
		return text[:cause] // what to do about it is what is left out
	}
	return strings.TrimSpace(text) + "…"
}

// begun has a sentence begin with a capital letter where its first word is one that errors begin with. Any other word may be a
// name, which stays as it is.
func begun(text string) string {
	switch first, _, _ := strings.Cut(text, " "); first {
	case "cannot", "automated", "the", "no", "objects", "waits", "one":
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return text
}

// firstLine returns the first line of a condition, and how many more there are.
func firstLine(message string) string {
	first, rest, more := strings.Cut(strings.TrimSpace(message), "\n")
	if !more {
		return first
	}
	return fmt.Sprintf("%s (and %d more)", first, strings.Count(rest, "\n")+1)
}

// thing names an object as people do.
func thing(kind, namespace, name string) string {
	if namespace == "" {
		return kind + " " + name
	}
	return kind + " " + namespace + "/" + name
}

// failureText says what failed first in the last operation.
func failureText(app *v1alpha1.Application) string {
	return "Sync failed: " + causeOf(app.Status.OperationState)
}

func causeOf(state *v1alpha1.OperationState) string {
	if state.SyncResult != nil {
		for _, r := range state.SyncResult.Resources {
			if r != nil && (r.Status == v1alpha1.ResultCodeSyncFailed || r.HookPhase == v1alpha1.OperationFailed || r.HookPhase == v1alpha1.OperationError) {
				return about(thing(r.Kind, r.Namespace, r.Name), cmp.Or(firstLine(r.Message), "it failed"))
			}
		}
	}
	return cmp.Or(firstLine(state.Message), "nothing says why")
}

// about puts a thing before a message that does not name it.
func about(thing, message string) string {
	if strings.Contains(message, thing) {
		return message
	}
	return thing + ": " + message
}

func retryText(app *v1alpha1.Application) string {
	state := app.Status.OperationState
	return fmt.Sprintf("Sync is tried again (retry %d): %s", state.RetryCount, causeOf(state))
}

// healthText says which object is the reason of the health.
func healthText(app *v1alpha1.Application) string {
	h := app.Status.Health
	if h.Message != "" {
		return shortKey(firstLine(h.Message))
	}
	for _, r := range app.Status.Resources {
		if r.Health != nil && r.Health.Status == h.Status {
			text := thing(r.Kind, r.Namespace, r.Name) + " is " + string(h.Status)
			if r.Health.Message != "" {
				text += ": " + firstLine(r.Health.Message)
			}
			return text
		}
	}
	switch h.Status {
	case v1alpha1.HealthStatusMissing:
		return "None of its objects is in the cluster"
	case v1alpha1.HealthStatusProgressing:
		return "Its objects are not ready yet"
	}
	return "Its objects are " + string(h.Status)
}

// shortKey leaves the group out where a message begins with an object's full name: "Deployment.apps shop/web: …".
func shortKey(message string) string {
	name, rest, ok := strings.Cut(message, ": ")
	kind, at, named := strings.Cut(name, " ")
	if !ok || !named || strings.Contains(at, " ") {
		return message
	}
	kind, _, _ = strings.Cut(kind, ".")
	return kind + " " + at + ": " + rest
}

// deletionsText says how many objects are to go.
func deletionsText(app *v1alpha1.Application) string {
	n, first := 0, ""
	for _, r := range app.Status.Resources {
		if r.RequiresPruning {
			if n++; n == 1 {
				first = thing(r.Kind, r.Namespace, r.Name)
			}
		}
	}
	switch n {
	case 0:
		return "Deletions wait for somebody to approve them"
	case 1:
		return "The deletion of " + first + " waits for somebody to approve it"
	}
	return fmt.Sprintf("Deletions wait for somebody to approve them: %s and %d more", first, n-1)
}

func confirmText(*v1alpha1.Application) string {
	return "Its deletion waits for somebody to confirm it: an object asks for that (Delete=confirm)"
}

func deletingText(*v1alpha1.Application) string { return "It is being deleted" }

// holdText says who holds the application, and why.
func holdText(app *v1alpha1.Application) string {
	hold, err := bowline.ParseHold(app.Annotations[v1alpha1.AnnotationHold])
	if err != nil {
		return "Held by the annotation " + v1alpha1.AnnotationHold + ", which cannot be read: mend or remove it"
	}
	text := "Held"
	if hold.By != "" {
		text += " by " + hold.By
	}
	if hold.History != nil {
		text += fmt.Sprintf(" after a rollback to entry %d of the history", *hold.History)
	}
	if !hold.Until.IsZero() {
		text += " until " + hold.Until.UTC().Format(time.RFC3339)
	}
	if hold.Reason != "" {
		text += ": " + hold.Reason
	}
	return text
}

func skippedText(*v1alpha1.Application) string {
	return "Nobody looks at it: its annotation " + v1alpha1.AnnotationKeyAppSkipReconcile + " is true"
}

// comparisonWarning is the controller's condition about what could not be compared.
const comparisonWarning v1alpha1.ApplicationConditionType = "ComparisonWarning"

func unknownSyncText(app *v1alpha1.Application) string {
	for _, c := range app.Status.Conditions {
		if c.Type == comparisonWarning {
			return firstLine(c.Message)
		}
	}
	if app.Status.ReconciledAt == nil {
		return "It was not compared with its source yet"
	}
	return "Whether it is as its source says is not known"
}

func unknownHealthText(app *v1alpha1.Application) string {
	if m := app.Status.Health.Message; m != "" {
		return "The health of its objects is not known: " + shortKey(firstLine(m))
	}
	return "The health of its objects is not known"
}

func unansweredText(*v1alpha1.Application) string {
	return "Somebody asked for a refresh, and no controller has answered: see whether one runs and leads"
}

// driftText says how much differs, and what keeps it so.
func driftText(app *v1alpha1.Application) string {
	for _, t := range keepsBack {
		for _, c := range app.Status.Conditions {
			if c.Type == t {
				return firstLine(c.Message)
			}
		}
	}
	n, first := 0, ""
	for _, r := range app.Status.Resources {
		if r.Status == v1alpha1.SyncStatusCodeOutOfSync {
			if n++; n == 1 {
				first = thing(r.Kind, r.Namespace, r.Name)
			}
		}
	}
	text := "It differs from its source"
	switch {
	case n == 1:
		text = first + " differs from its source"
	case n > 1:
		text = fmt.Sprintf("%s and %d more differ from their source", first, n-1)
	}
	if !plan.Automated(app.Spec.SyncPolicy) {
		text += "; automated sync is off"
	}
	return text
}

func beginsText(*v1alpha1.Application) string {
	return "It differs from its source, and automated sync is about to begin"
}

// operationText says how far the operation has come.
func operationText(app *v1alpha1.Application) string {
	state := app.Status.OperationState
	switch {
	case app.Operation != nil:
		return "A sync was asked for and is about to begin"
	case state.Phase == v1alpha1.OperationTerminating:
		return "The sync is being terminated"
	case state.Message == "":
		return "A sync runs"
	}
	return "A sync runs: " + firstLine(state.Message)
}
