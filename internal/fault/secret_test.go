// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const hidden = "hunter2"

type credentials struct {
	User     string
	Password Secret
	Pointer  *Secret
	Many     []Secret
	Named    map[string]Secret
	private  Secret
	nested   struct{ inner Secret }
}

func newCredentials() credentials {
	s := NewSecret(hidden)
	c := credentials{User: "me", Password: s, Pointer: &s, Many: []Secret{s}, Named: map[string]Secret{"k": s}, private: s}
	c.nested.inner = s
	return c
}

// assertHidden also looks for the forms that verbs give a text.
func assertHidden(t *testing.T, what, text string) {
	t.Helper()
	for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden), fmt.Sprintf("% x", hidden), fmt.Sprintf("%d", []byte(hidden))[1:8]} {
		if strings.Contains(text, form) {
			t.Errorf("%s shows the secret: %s", what, text)
		}
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	c := newCredentials()
	for _, value := range []any{c.Password, &c.Password, c, &c, []any{c}, map[string]any{"c": c}, map[Secret]int{c.Password: 1}, fmt.Errorf("x: %v", c)} {
		for _, flag := range []string{"", "+", "#", "-", " ", "0", "40", ".3", "+#"} {
			for _, verb := range "vTtbcdoOqxXUeEfFgGsp!z" {
				format := "%" + flag + string(verb)
				assertHidden(t, fmt.Sprintf("%s of a %T", format, value), fmt.Sprintf(format, value))
			}
		}
		assertHidden(t, "Sprint", fmt.Sprint(value)+fmt.Sprintln(value))
	}
}

func TestSecretIsNeverMarshalled(t *testing.T) {
	c := newCredentials()
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal} {
		out, err := marshal(c)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		assertHidden(t, name, string(out))
		if strings.Count(string(out), "[redacted]") != 4 {
			t.Errorf("%s: %s", name, out)
		}
	}
	out, err := json.Marshal(map[Secret]string{c.Password: "x"})
	if err != nil || string(out) != `{"[redacted]":"x"}` {
		t.Errorf("as a key: %s, %v", out, err)
	}
	type element struct{ Password Secret }
	out, err = xml.Marshal(element{c.Password})
	if err != nil {
		t.Error(err)
	}
	assertHidden(t, "xml", string(out))
}

func TestSecretIsNeverLogged(t *testing.T) {
	c := newCredentials()
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		log := slog.New(handler).With("bound", c.Password)
		log.Info("x", "secret", c.Password, "pointer", &c.Password, "struct", c, "error", fmt.Errorf("x: %v", c), slog.Group("g", "in", c.Password))
		assertHidden(t, fmt.Sprintf("%T", handler), out.String())
		if !strings.Contains(out.String(), "[redacted]") {
			t.Errorf("%T: %s", handler, out.String())
		}
		out.Reset()
	}
}

func TestSecretValue(t *testing.T) {
	s := NewSecret(hidden)
	if s.Reveal() != hidden || s.Empty() {
		t.Errorf("reveals %q", s.Reveal())
	}
	for _, none := range []Secret{{}, NewSecret("")} {
		if none.Reveal() != "" || !none.Empty() || none != (Secret{}) {
			t.Error("no value is one")
		}
	}
	if s != NewSecret(hidden) || s == NewSecret("other") || !reflect.DeepEqual(s, NewSecret(hidden)) {
		t.Error("equality is not that of the values")
	}
}

func TestRedactURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://github.com/company/app.git":             "https://github.com/company/app.git",
		"https://user:hunter2@github.com/company/app":    "https://github.com/company/app",
		"https://hunter2@github.com/company/app":         "https://github.com/company/app",
		"https://user:hunter2@host:8443/app?x=hunter2#y": "https://host:8443/app",
		"https://host/app?token=hunter2":                 "https://host/app",
		"https://host/app#hunter2":                       "https://host/app",
		"https://host/app?":                              "https://host/app",
		"https://user:hunter%zz2@host/app":               "https://host/app",
		"https://user:hunter2/x@host/app":                "https://host/app",
		"https://user:12/hunter2@host/app":               "https://host/app",
		"https://user:hunter2#x@host/app":                "https://host/app",
		"https://hunter2#x@host/app":                     "https://host/app",
		"https://hunter2?x@host/app":                     "https://host/app",
		"https://user:hunter2 x@host/app":                "https://host/app",
		"https://user:hun@ter2@host/app":                 "https://host/app",
		"ssh://git@host:22/app.git":                      "ssh://host:22/app.git",
		"git@github.com:company/app.git":                 "git@github.com:company/app.git",
		"git@github.com:company/app@v2.git":              "git@github.com:company/app@v2.git",
		"hunter2@host:company/app.git":                   "host:company/app.git",
		"user:hunter2@host:company/app":                  "host:company/app",
		"https://host/team@corp/app":                     "https://host/team@corp/app",
		"file:///srv/git/app":                            "file:///srv/git/app",
		"/srv/git/app":                                   "/srv/git/app",
		"oci://host/charts":                              "oci://host/charts",
		"":                                               "",
	} {
		if got := RedactURL(raw); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", raw, got, want)
		}
	}
}

func TestRedactValues(t *testing.T) {
	for _, c := range []struct{ name, message, want string }{
		{"a text", `Secret "x" is invalid: data[password]: Invalid value: "hunter2": must be base64`,
			`Secret "x" is invalid: data[password]: Invalid value: [redacted]: must be base64`},
		{"a text with quotes", `stringData.x: Invalid value: "hun\"ter2\\": bad`, `stringData.x: Invalid value: [redacted]: bad`},
		{"a text with line ends and colons", `data: Invalid value: "hunter2\nInvalid value: 3: hunter2": bad`, `data: Invalid value: [redacted]: bad`},
		{"a raw line end", "data: Invalid value: \"hun\nter2\": bad", "data: Invalid value: [redacted]: bad"},
		{"no text", `data: Invalid value: "": bad`, `data: Invalid value: [redacted]: bad`},
		{"a number", `data: Invalid value: 12345: must be a text`, `data: Invalid value: [redacted]: must be a text`},
		{"a map in JSON", `data: Invalid value: {"password":"hunter2 and more"}: bad`, `data: Invalid value: [redacted]`},
		{"a map in Go", `data: Invalid value: map[string]interface {}{"password":"hunter2", "b":"c d"}: bad`, `data: Invalid value: [redacted]`},
		{"a list in Go", `data: Invalid value: []string{"hunter2", "x y"}: bad`, `data: Invalid value: [redacted]`},
		{"bytes", `data: Invalid value: []byte{0x68, 0x75}: bad`, `data: Invalid value: [redacted]`},
		{"a text that never ends", `data: Invalid value: "hunter2`, `data: Invalid value: [redacted]`},
		{"unsupported", `type: Unsupported value: "hunter2": supported values: "Opaque", "x"`, `type: Unsupported value: [redacted]: supported values: "Opaque", "x"`},
		{"several", `[data[a]: Invalid value: "hunter2": bad, data[b]: Duplicate value: "hunter2", data[c]: Invalid value: 3: bad]`,
			`[data[a]: Invalid value: [redacted]: bad, data[b]: Duplicate value: [redacted], data[c]: Invalid value: [redacted]: bad]`},
		{"not found", `data[x]: Not found: "hunter2"`, `data[x]: Not found: [redacted]`},
		{"too long, with the value", `data[x]: Too long: "hunter2": must have at most 3 bytes`, `data[x]: Too long: [redacted]: must have at most 3 bytes`},
		{"too long, without", `data[x]: Too long: must have at most 3 bytes`, `data[x]: Too long: must have at most 3 bytes`},
		{"required", `data[x]: Required value: set it`, `data[x]: Required value: set it`},
		{"server-side apply", `failed to create typed patch object (shop/x; /v1, Kind=Secret): .stringData.password: expected string, got &value.valueUnstructured{Value:"hunter2"}`,
			`failed to create typed patch object (shop/x; /v1, Kind=Secret): .stringData.password: expected string, got [redacted]`},
		{"a decoder's context", `illegal base64 data at input byte 4, error found in #10 byte of ...|word":"hunter2"},"ki|..., bigger context ...|hunter2|...`,
			`illegal base64 data at input byte 4, error found in #10 byte of [redacted]`},
		{"nothing to hide", `secrets "x" already exists`, `secrets "x" already exists`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := RedactValues(c.message)
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			assertHidden(t, "the message", got)
		})
	}
}

func FuzzRedactValues(f *testing.F) {
	f.Add(`a"b\`, ": bad")
	f.Fuzz(func(t *testing.T, value, after string) {
		const mark = "SECRETMARK"
		if strings.Contains(after, mark) {
			return
		}
		message := "data[x]: Invalid value: " + fmt.Sprintf("%q", mark+value+mark) + after
		if got := RedactValues(message); strings.Contains(got, mark) {
			t.Errorf("%q gives %q", message, got)
		}
	})
}
