// SPDX-License-Identifier: Apache-2.0

/** How the API tells of a failure: docs/reference/api.md, Errors. */
interface Failure {
  error?: string
  message?: string
  code?: number
  details?: { kind?: string; thing?: string; where?: string; fix?: string }[]
}

/** An answer of the API that is a refusal or a failure, or no answer at all (status 0). */
export class ApiError extends Error {
  readonly status: number
  /** What happens next: retry and wait may pass, stalled needs a setting or right changed, mistake the request, forbidden a role. */
  readonly kind: string
  readonly thing: string
  /** The field, file or line. */
  readonly where: string
  readonly fix: string

  constructor(
    status: number,
    message: string,
    detail: { kind?: string; thing?: string; where?: string; fix?: string } = {},
  ) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.kind = detail.kind ?? ''
    this.thing = detail.thing ?? ''
    this.where = detail.where ?? ''
    this.fix = detail.fix ?? ''
  }

  /** Whether trying again may help without anybody changing something. */
  get passing(): boolean {
    return (
      this.status === 0 || this.status === 429 || this.status >= 502 || this.kind === 'retry' || this.kind === 'wait'
    )
  }
}

/** The error that the body of an answer tells of. */
export function failureOf(status: number, body: string): ApiError {
  try {
    const failure = JSON.parse(body) as Failure
    const message = failure.message ?? failure.error
    if (message) return new ApiError(status, message, failure.details?.[0])
  } catch {
    // A proxy answered and not Bowline: its page helps nobody.
  }
  return new ApiError(status, `the server answered ${status}`)
}

/** Any thrown thing as an ApiError, for showing it. */
export function errorOf(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown
  if (thrown instanceof TypeError) {
    return new ApiError(0, 'the server cannot be reached', { fix: 'check your connection; the page goes on by itself' })
  }
  return new ApiError(0, thrown instanceof Error ? thrown.message : String(thrown))
}
