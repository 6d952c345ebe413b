// SPDX-License-Identifier: Apache-2.0

export default function ApplicationsPage() {
  return <h1>ApplicationsPage</h1>
}
