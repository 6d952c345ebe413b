// SPDX-License-Identifier: Apache-2.0

export default function ApplicationPage() {
  return <h1>ApplicationPage</h1>
}
