// SPDX-License-Identifier: Apache-2.0

// What of the library for YAML is used, by name: the rest of it is then left out of the page.
export { parseDocument, stringify } from 'yaml'
