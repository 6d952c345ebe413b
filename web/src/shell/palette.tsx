// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'

const open = signal(false)

export function openPalette() {
  open.value = true
}

export function Palette() {
  return null
}
