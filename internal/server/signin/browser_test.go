// SPDX-License-Identifier: Apache-2.0

package signin_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// browser does what a person's browser does: it keeps cookies, follows redirects, fills in forms.
type browser struct {
	t      *testing.T
	client *http.Client
	// stop is the beginning of addresses that are not loaded: a command line listens there.
	stop string
	// page is what was loaded last.
	page page
}

type page struct {
	url    *url.URL
	status int
	body   string
	header http.Header
}

func newBrowser(t *testing.T, stop string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, stop: stop}
	b.client = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if b.stop != "" && strings.HasPrefix(r.URL.String(), b.stop) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

// open loads an address.
func (b *browser) open(address string) page {
	b.t.Helper()
	return b.do(http.MethodGet, address, nil)
}

// submit sends the form of the page with what a person typed.
func (b *browser) submit(typed map[string]string) page {
	b.t.Helper()
	action, fields := b.form()
	for name, value := range typed {
		fields.Set(name, value)
	}
	return b.do(http.MethodPost, action, fields)
}

func (b *browser) do(method, address string, form url.Values) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.page = page{url: answer.Request.URL, status: answer.StatusCode, body: string(body), header: answer.Header}
	if to := answer.Header.Get("Location"); to != "" && answer.StatusCode/100 == 3 {
		if b.page.url, err = answer.Request.URL.Parse(to); err != nil {
			b.t.Fatal(err)
		}
	}
	return b.page
}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]*>`)
	inputTag = regexp.MustCompile(`(?s)<input[^>]*>`)
	attr     = regexp.MustCompile(`([a-z]+)\s*=\s*"([^"]*)"`)
)

// form returns where the first form of the page goes and what it holds.
func (b *browser) form() (string, url.Values) {
	b.t.Helper()
	tag := formTag.FindString(b.page.body)
	if tag == "" {
		b.t.Fatalf("%s (%d) has no form:\n%s", b.page.url, b.page.status, b.page.body)
	}
	to, err := b.page.url.Parse(attributes(tag)["action"])
	if err != nil {
		b.t.Fatal(err)
	}
	fields := url.Values{}
	for _, input := range inputTag.FindAllString(b.page.body, -1) {
		if a := attributes(input); a["name"] != "" && a["type"] != "submit" {
			fields.Set(a["name"], a["value"])
		}
	}
	return to.String(), fields
}

func attributes(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range attr.FindAllStringSubmatch(tag, -1) {
		out[m[1]] = html.UnescapeString(m[2])
	}
	return out
}

// cookies are those it shows at an address, by name.
func (b *browser) cookies(address string) map[string]string {
	b.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]string{}
	for _, c := range b.client.Jar.Cookies(u) {
		out[c.Name] = c.Value
	}
	return out
}
