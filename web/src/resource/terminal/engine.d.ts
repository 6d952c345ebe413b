// SPDX-License-Identifier: Apache-2.0

// The package names a file for bundlers that it does not have; this is the one that it has.
declare module '@xterm/headless/lib-headless/xterm-headless.mjs' {
  export { Terminal } from '@xterm/headless'
}
