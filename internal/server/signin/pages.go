// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"

	"github.com/bowline-cd/bowline/internal/auth/connector"
)

// style and submit are all that the pages load; the policy names them by their digests.
const (
	style = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0;display:grid;min-height:100vh;place-items:center}` +
		`main{width:min(22rem,90vw)}h1{font-size:1.25rem}label,input,button,a.way{display:block;width:100%;box-sizing:border-box;margin:.25rem 0 .75rem;font:inherit}` +
		`input,button,a.way{padding:.6rem .75rem;border:1px solid GrayText;border-radius:.4rem}button,a.way{background:#0b5fff;color:#fff;border-color:#0b5fff;text-align:center;text-decoration:none}` +
		`:focus-visible{outline:3px solid #ffb000;outline-offset:2px}[role=alert]{border-left:4px solid #c62828;padding:.25rem .75rem}`
	submit = `document.forms[0].submit()`
)

var pages = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sign in</title><style>` + style + `</style></head>
<body><main>{{template "body" .}}</main></body></html>
`))

func pageOf(body string) *template.Template {
	return template.Must(template.Must(pages.Clone()).Parse(`{{define "body"}}` + body + `{{end}}`))
}

var (
	formPage = pageOf(`<h1>Sign in to {{.Client}} with {{.Connector}}</h1>
{{with .Problem}}<p role="alert" id="problem">{{.}}</p>{{end}}
<form method="post"><input type="hidden" name="secret" value="{{.Secret}}">
<label for="username">{{.Prompt}}</label><input id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus value="{{.Username}}">
<label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">Sign in</button></form>`)
	choicePage = pageOf(`<h1>Sign in to {{.Client}}</h1>{{range .Ways}}<a class="way" href="{{.URL}}">{{.Name}}</a>{{end}}`)
	postPage   = pageOf(`<h1>On to {{.Connector}}</h1><form method="post" action="{{.URL}}">
{{range $name, $value := .Fields}}<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
<button type="submit">Continue</button></form><script>` + submit + `</script>`)
	errorPage = pageOf(`<h1>{{.Title}}</h1><p role="alert">{{.Text}}</p>`)
)

// form is the page of a Password connector.
type form struct {
	Client, Connector, Prompt, Username, Problem, Secret string
	// redirect is where the browser goes in the end: browsers hold the policy of a form against redirects too.
	redirect string
}

// way is one of several to sign in.
type way struct{ Name, URL string }

func showForm(w http.ResponseWriter, f form, status int) {
	show(w, status, formPage, f, "form-action 'self' "+originOf(f.redirect))
}

func showChoice(w http.ResponseWriter, client string, ways []way) {
	show(w, http.StatusOK, choicePage, struct {
		Client string
		Ways   []way
	}{client, ways}, "form-action 'none'")
}

// showPost shows a form that goes to a provider by itself. Where that sends the browser on to is not known here, so that the
// policy cannot say where forms may go.
func showPost(w http.ResponseWriter, name string, d connector.Departure) {
	show(w, http.StatusOK, postPage, struct {
		Connector, URL string
		Fields         map[string]string
	}{name, d.URL, d.Fields}, "script-src '"+digest(submit)+"'")
}

func showError(w http.ResponseWriter, status int, text string) {
	show(w, status, errorPage, struct{ Title, Text string }{"Signing in did not work", text}, "form-action 'none'")
}

// show writes a page that may load nothing but what is in it.
func show(w http.ResponseWriter, status int, t *template.Template, data any, more string) {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src '"+digest(style)+"'; base-uri 'none'; frame-ancestors 'none'; "+more)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser is gone
}

// digest is how a policy names a script or style.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
