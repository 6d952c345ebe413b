// SPDX-License-Identifier: Apache-2.0

export default function EditPage() {
  return <h1>EditPage</h1>
}
