// SPDX-License-Identifier: Apache-2.0

// Package web is the page that people look at, as it was built from the sources beside this file.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

// Files are those of the page: index.html, and assets with a digest of their content in the name, each with a FILE.gz and a
// FILE.br beside it. Without a build there is no index.html.
func Files() fs.FS {
	files, err := fs.Sub(built, "dist/page")
	if err != nil {
		panic(err) // the name is a constant
	}
	return files
}
