// SPDX-License-Identifier: Apache-2.0

// Package links makes the links that lead from an application, an object or a project to places elsewhere, as argocd-cm says.
//
// The words of this package:
//
//   - Link: a title and the template of an address, over the things that it is about.
//   - Condition: an expression over the same things that says whether a link is shown.
package links

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/internal/settings"
)

// Evaluate returns the links that are shown of some things, such as {"app": …, "resource": …}, and what is wrong with the
// others. A link leads to a web page or to a place on the same server: other schemes could run as scripts.
func Evaluate(links []settings.Link, things map[string]any) (shown []application.LinkInfo, wrong []error) {
	for _, link := range links {
		address, err := evaluate(link, things)
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Errorf("link %q: %w", link.Title, err))
		case address != "":
			shown = append(shown, application.LinkInfo{Title: link.Title, URL: address, Description: link.Description, IconClass: link.IconClass})
		}
	}
	return shown, wrong
}

// evaluate returns the address of a link; "" if it is not shown.
func evaluate(link settings.Link, things map[string]any) (string, error) {
	if link.If != "" {
		value, err := Condition(link.If, things)
		if err != nil {
			return "", err
		}
		if is, ok := value.(bool); !ok {
			return "", errors.New("its condition is neither true nor false")
		} else if !is {
			return "", nil
		}
	}
	parsed, err := template.New("link").Funcs(functions).Parse(link.URL)
	if err != nil {
		return "", err
	}
	out := &bounded{}
	if err := parsed.Execute(out, things); err != nil {
		return "", err
	}
	return checked(out.String())
}

// functions are those of sprig without the ones that read the environment or ask the network.
var functions = func() template.FuncMap {
	out := sprig.TxtFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(out, name)
	}
	return out
}()

// maxAddress is how long an address may be.
const maxAddress = 8 << 10

// bounded is text that does not grow without end.
type bounded struct{ strings.Builder }

func (b *bounded) Write(text []byte) (int, error) {
	if b.Len()+len(text) > maxAddress {
		return 0, fmt.Errorf("its address is longer than %d bytes", maxAddress)
	}
	return b.Builder.Write(text)
}

// checked returns an address that a page may link to.
func checked(address string) (string, error) {
	address = strings.TrimSpace(address)
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("its address is none")
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https", "mailto":
		return address, nil
	case "":
		if strings.HasPrefix(address, "/") {
			return address, nil
		}
	}
	return "", errors.New("its address begins neither with http:// or https:// nor with /")
}
