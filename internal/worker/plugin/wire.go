// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of plugin.proto. They are few and small, so they are read and written here, field by field: what a sidecar
// answers is checked while it is read, and a limit ends the reading.

// metadata goes ahead of the archive.
type metadata struct {
	app, path, checksum string
	size                int64
	env                 []variable
}

// variable is one environment variable.
type variable struct{ name, value string }

// request returns the AppStreamRequest that holds the metadata.
func (m metadata) request() []byte {
	var b []byte
	b = appendText(b, 1, m.app)
	b = appendText(b, 2, m.path)
	b = appendText(b, 3, m.checksum)
	b = protowire.AppendTag(b, 4, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(m.size)) //nolint:gosec // a size is never negative
	for _, v := range m.env {
		var entry []byte
		entry = appendText(entry, 1, v.name)
		entry = appendText(entry, 2, v.value)
		b = appendBytes(b, 5, entry)
	}
	return appendBytes(nil, 1, b)
}

// chunkRequest returns the AppStreamRequest that holds a piece of the archive.
func chunkRequest(chunk []byte) []byte {
	return appendBytes(nil, 2, appendBytes(nil, 1, chunk))
}

func appendText(b []byte, n protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), s)
}

func appendBytes(b []byte, n protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), value)
}

// errWire says that an answer is not what the protocol says.
var errWire = errors.New("its answer is not of the plugin protocol")

// errTooMany says that an answer has more parts than are allowed.
var errTooMany = errors.New("its answer has too many parts")

// field is one field of a message: number for a varint, data for everything that has a length.
type field struct {
	num    protowire.Number
	kind   protowire.Type
	number uint64
	data   []byte
}

// fields calls take for each field of a message, in order. Fields of other types than varint and bytes are stepped over.
func fields(message []byte, take func(field) error) error {
	for len(message) > 0 {
		f := field{}
		var n int
		f.num, f.kind, n = protowire.ConsumeTag(message)
		if n < 0 {
			return errWire
		}
		message = message[n:]
		switch f.kind {
		case protowire.VarintType:
			f.number, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			f.data, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(f.num, f.kind, message)
		}
		if n < 0 {
			return errWire
		}
		message = message[n:]
		if err := take(f); err != nil {
			return err
		}
	}
	return nil
}

// text is the field's string. A known field of another type is an error rather than skipped: manifests that got lost that
// way would be objects to delete.
func (f field) text() (string, error) {
	if f.kind != protowire.BytesType {
		return "", fmt.Errorf("%w: field %d is no text", errWire, f.num)
	}
	if !utf8.Valid(f.data) {
		return "", fmt.Errorf("%w: field %d is not UTF-8", errWire, f.num)
	}
	return string(f.data), nil
}

func (f field) boolean() (bool, error) {
	if f.kind != protowire.VarintType {
		return false, fmt.Errorf("%w: field %d is no truth value", errWire, f.num)
	}
	return f.number != 0, nil
}

// configuration is a CheckPluginConfigurationResponse.
type configuration struct{ discovers, wantsGitCredentials bool }

func parseConfiguration(message []byte) (c configuration, err error) {
	err = fields(message, func(f field) (err error) {
		switch f.num {
		case 1:
			c.discovers, err = f.boolean()
		case 2:
			c.wantsGitCredentials, err = f.boolean()
		}
		return err
	})
	return c, err
}

// parseMatch reads a RepositoryResponse.
func parseMatch(message []byte) (supported bool, err error) {
	err = fields(message, func(f field) (err error) {
		if f.num == 1 {
			supported, err = f.boolean()
		}
		return err
	})
	return supported, err
}

// parseManifests reads a ManifestResponse of at most most manifests.
func parseManifests(message []byte, most int) (manifests []string, err error) {
	err = fields(message, func(f field) error {
		if f.num != 1 {
			return nil
		}
		if len(manifests) >= most {
			return errTooMany
		}
		text, err := f.text()
		manifests = append(manifests, text)
		return err
	})
	return manifests, err
}

// maxAnnounced bounds the parameters that a plugin announces, and the members of each.
const maxAnnounced = 1000

// parseAnnouncements reads a ParametersAnnouncementResponse.
func parseAnnouncements(message []byte) (out []Announcement, err error) {
	err = fields(message, func(f field) error {
		if f.num != 1 {
			return nil
		}
		if f.kind != protowire.BytesType {
			return errWire
		}
		if len(out) >= maxAnnounced {
			return errTooMany
		}
		a, err := parseAnnouncement(f.data)
		out = append(out, a)
		return err
	})
	return out, err
}

func parseAnnouncement(message []byte) (a Announcement, err error) {
	texts := map[protowire.Number]*string{
		1: &a.Name, 2: &a.Title, 3: &a.Tooltip, 5: &a.ItemType, 6: &a.CollectionType, 7: &a.String,
	}
	err = fields(message, func(f field) (err error) {
		if len(a.Array) > maxAnnounced || len(a.Map) > maxAnnounced {
			return errTooMany
		}
		if to, ok := texts[f.num]; ok {
			*to, err = f.text()
			return err
		}
		switch f.num {
		case 4:
			a.Required, err = f.boolean()
		case 8:
			var item string
			item, err = f.text()
			a.Array = append(a.Array, item)
		case 9:
			err = a.addMember(f)
		}
		return err
	})
	return a, err
}

// addMember reads one entry of a map, which is a message of its key and its value.
func (a *Announcement) addMember(entry field) error {
	if entry.kind != protowire.BytesType {
		return errWire
	}
	var key, value string
	err := fields(entry.data, func(f field) (err error) {
		switch f.num {
		case 1:
			key, err = f.text()
		case 2:
			value, err = f.text()
		}
		return err
	})
	if a.Map == nil {
		a.Map = map[string]string{}
	}
	a.Map[key] = value
	return err
}
