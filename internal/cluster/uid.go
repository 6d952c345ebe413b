// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/bowline-cd/bowline/internal/object"
)

// uid stands for one object in the index: its metadata.uid, or the role under which its children look for it. API
// servers give UUIDs, which take 16 bytes; any other text stands for itself by its hash.
type uid [16]byte

const uuidForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

func uidOf(text string) uid {
	if id, ok := parseUUID(text); ok {
		return id
	}
	return hashed("uid", text)
}

// roleUID stands for whoever has a role.
func roleUID(role object.Key) uid {
	return hashed("role", role.Group, role.Kind, role.Namespace, role.Name)
}

func hashed(parts ...string) uid {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return uid(h.Sum(nil)[:16])
}

// parseUUID reads the form in which API servers write uids; any other spelling is not the same text.
func parseUUID(text string) (id uid, ok bool) {
	if len(text) != len(uuidForm) {
		return id, false
	}
	var digits [32]byte
	n := 0
	for i := range len(text) {
		c := text[i]
		switch {
		case uuidForm[i] == '-':
			if c != '-' {
				return id, false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f':
			digits[n] = c
			n++
		default:
			return id, false
		}
	}
	_, err := hex.Decode(id[:], digits[:])
	return id, err == nil
}

// String writes a UUID; for a uid that is none it is only a label.
func (u uid) String() string {
	var out [36]byte
	hex.Encode(out[0:8], u[0:4])
	hex.Encode(out[9:13], u[4:6])
	hex.Encode(out[14:18], u[6:8])
	hex.Encode(out[19:23], u[8:10])
	hex.Encode(out[24:36], u[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
