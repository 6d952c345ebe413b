// SPDX-License-Identifier: Apache-2.0

package session

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/internal/fault"
)

// setFromEnvironment gives flags that are absent the values of the environment. Flags that are given win later: they are
// parsed after this.
func (s *Session) setFromEnvironment(flags *pflag.FlagSet) error {
	s.Server.Address = cmp.Or(os.Getenv("BOWLINE_SERVER"), os.Getenv("ARGOCD_SERVER"))
	s.Server.Token = cmp.Or(os.Getenv("BOWLINE_AUTH_TOKEN"), os.Getenv("ARGOCD_AUTH_TOKEN"))
	variable := "BOWLINE_OPTS"
	if os.Getenv(variable) == "" {
		variable = "ARGOCD_OPTS"
	}
	options, err := splitOptions(os.Getenv(variable))
	if err != nil {
		return fault.Wrap(fault.Mistake, "read", "$"+variable, err, "write options as on a command line, such as --grpc-web --server cd.example.com")
	}
	for _, option := range options {
		flag := flags.Lookup(option.name)
		if flag == nil {
			continue // it may be one of another version
		}
		if err := flag.Value.Set(option.value); err != nil {
			return fault.Wrap(fault.Mistake, "read", "$"+variable, fmt.Errorf("--%s: %w", option.name, err), "mend the variable")
		}
	}
	return nil
}

type option struct{ name, value string }

// splitOptions divides "--a b --c=d --e" into options; an option without a value is "true".
func splitOptions(line string) ([]option, error) {
	words, err := splitWords(line)
	if err != nil {
		return nil, err
	}
	var out []option
	waits := false // the last option may get a value yet
	for _, word := range words {
		name, is := strings.CutPrefix(word, "--")
		switch {
		case is:
			name, value, has := strings.Cut(name, "=")
			if !has {
				value = "true"
			}
			out = append(out, option{name, value})
			waits = !has
		case waits:
			out[len(out)-1].value = word
			waits = false
		default:
			return nil, fmt.Errorf("%q belongs to no option", word)
		}
	}
	return out, nil
}

// splitWords divides a line into words as a POSIX shell does, without expanding anything.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inWord = r, true
		case quote == 0 && strings.ContainsRune(" \t\n", r):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quotation is not closed")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
