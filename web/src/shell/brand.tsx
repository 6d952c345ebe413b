// SPDX-License-Identifier: Apache-2.0

/** The mark of the product. */
export function KnotIcon({ size = 24 }: { size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 32 32"
      fill="none"
      stroke-linecap="round"
      stroke-width="4"
      aria-hidden="true"
      focusable="false"
    >
      <rect width="32" height="32" rx="7" fill="#1859c9" />
      <path d="M9 25V12a6 6 0 0 1 12 0v2a5 5 0 0 1-10 0" stroke="#fff" />
      <path d="M16 19v6" stroke="#9cc3ff" />
    </svg>
  )
}
