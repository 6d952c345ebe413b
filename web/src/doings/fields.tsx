// SPDX-License-Identifier: Apache-2.0

import type { Difference } from '../api'

/** Fields with their value before and after. */
export function Fields({
  differences,
  before = 'Before',
  after = 'After',
}: {
  differences: Difference[]
  before?: string
  after?: string
}) {
  return (
    <div class="table-scroll">
      <table class="table fields">
        <thead>
          <tr>
            <th>Field</th>
            <th>{before}</th>
            <th>{after}</th>
          </tr>
        </thead>
        <tbody>
          {differences.map((difference) => (
            <tr key={difference.path}>
              <td>
                <code>{difference.path || 'the whole'}</code>
                {difference.reordered && <span class="faint"> only the order</span>}
              </td>
              <td>
                <Value text={difference.live} side="removed" />
              </td>
              <td>
                <Value text={difference.desired} side="added" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Value({ text, side }: { text: string | undefined; side: 'added' | 'removed' }) {
  if (!text) return <span class="faint">absent</span>
  return <code class={`field-value field-value-${side}`}>{spaced(text)}</code>
}

/** JSON as people read it: a text without its quotes, what is long over several lines. */
export function spaced(json: string): string {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'string') return value
    return json.length > 60 ? JSON.stringify(value, null, 2) : json
  } catch {
    return json
  }
}
