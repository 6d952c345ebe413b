// SPDX-License-Identifier: Apache-2.0

package index

// Bits is a set of small numbers, such as slots or rights: for each of a thousand streams it is to hold which of ten thousand
// applications it has shown.
type Bits []uint64

// Has reports whether a number is in the set.
func (b Bits) Has(n uint32) bool {
	return int(n/64) < len(b) && b[n/64]&(1<<(n%64)) != 0
}

// Set puts a number into the set, or takes it out.
func (b *Bits) Set(n uint32, in bool) {
	if !in && int(n/64) >= len(*b) {
		return
	}
	for int(n/64) >= len(*b) {
		*b = append(*b, 0)
	}
	if in {
		(*b)[n/64] |= 1 << (n % 64)
	} else {
		(*b)[n/64] &^= 1 << (n % 64)
	}
}
