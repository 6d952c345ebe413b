// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/fault"
)

// most is what a file or an answer may be long that a command reads whole.
const most = 64 << 20

// Read reads what an argument or flag names: "-" is standard input, http:// and https:// are fetched, all else is a file.
func Read(ctx context.Context, cmd *cobra.Command, path string) ([]byte, error) {
	data, err := read(ctx, cmd, path)
	if err != nil {
		return nil, fault.Wrap(fault.Mistake, "read", fault.RedactURL(path), err, "name a file, a URL, or - for standard input")
	}
	return data, nil
}

func read(ctx context.Context, cmd *cobra.Command, path string) ([]byte, error) {
	switch {
	case path == "-":
		return limited(cmd.InOrStdin())
	case strings.HasPrefix(path, "http://"), strings.HasPrefix(path, "https://"):
		return fetch(ctx, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return limited(f)
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", response.Status)
	}
	return limited(response.Body)
}

func limited(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && len(data) > most {
		err = errors.New("it is longer than 64 MiB")
	}
	return data, err
}
