// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
)

// Hold says in words what keeps automated sync from applying what is desired; "" if nothing does.
func Hold(app *v1alpha1.Application) string {
	value, held := app.Annotations[v1alpha1.AnnotationHold]
	if !held {
		return ""
	}
	h, err := bowline.ParseHold(value)
	if err != nil {
		return "held by an annotation that cannot be read (" + err.Error() + ")"
	}
	text := h.Text()
	if h.History != nil {
		text += fmt.Sprintf(" (rolled back to entry %d of the history)", *h.History)
	}
	return text
}

// waits writes what keeps an application where it is until a person or a time comes: a hold, deletions to approve.
func waits(w io.Writer, app *v1alpha1.Application) {
	optional(w, "Hold:", oneLine(Hold(app)))
	if digest, since := client.WaitingPlan(app); digest != "" {
		line(w, "Deletions:", fmt.Sprintf("wait for an approval since %s: look at them with `bowline app plan %s`, approve them with `bowline app approve %s %s`",
			since.UTC().Format("2006-01-02 15:04:05"), app.Name, app.Name, client.ShortDigest(digest)))
	}
}
