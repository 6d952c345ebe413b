// SPDX-License-Identifier: Apache-2.0

export default function SettingsPage() {
  return <h1>SettingsPage</h1>
}
