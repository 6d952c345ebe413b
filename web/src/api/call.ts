// SPDX-License-Identifier: Apache-2.0

import { signedOut } from '../session/signal'
import { ApiError, errorOf, failureOf } from './error'
import type { paths } from './schema'

type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** The verbs that a path has. */
export type VerbOf<P extends keyof paths> = { [V in Verb]: paths[P][V] extends object ? V : never }[Verb]

type Operation<P extends keyof paths, V extends Verb> = paths[P][V]
type Parameters<O> = O extends { parameters: infer R } ? R : never
type Body<O> = O extends { requestBody?: infer R }
  ? [NonNullable<R>] extends [never]
    ? never
    : NonNullable<R> extends { content: { 'application/json': infer B } }
      ? B
      : never
  : never
type Answer<O> = O extends { responses: { 200: { content: { 'application/json': infer A } } } } ? A : unknown

type PathOf<O> = Parameters<O> extends { path: infer X } ? { path: X } : { path?: never }
type QueryOf<O> = Parameters<O> extends { query?: infer X } ? { query?: X } : { query?: never }
type BodyOf<O> = [Body<O>] extends [never] ? { body?: never } : { body: Body<O> }

/** What a call is made with: variables of the path, the query, the body. */
export type Request<P extends keyof paths, V extends Verb> = PathOf<Operation<P, V>> &
  QueryOf<Operation<P, V>> &
  BodyOf<Operation<P, V>>

/**
 * Calls the API with the caller's session.
 *
 * @throws ApiError for a refusal, a failure, or when nobody answers. Who is not signed in any more is shown the way in.
 */
export async function call<P extends keyof paths, V extends VerbOf<P>>(
  verb: V,
  path: P,
  request: Request<P, V>,
  signal?: AbortSignal,
): Promise<Answer<Operation<P, V>>> {
  const answer = await send(verb, address(path, request), request.body, signal)
  const text = await answer.text()
  return (text === '' ? {} : JSON.parse(text)) as Answer<Operation<P, V>>
}

/** Makes a request and returns its answer, whose body is still to be read. Refusals are thrown. */
export async function send(
  verb: string,
  url: string,
  body: unknown,
  signal?: AbortSignal,
  accept?: string,
): Promise<Response> {
  const headers: Record<string, string> = { accept: accept ?? 'application/json' }
  if (verb !== 'get') headers['content-type'] = 'application/json'
  let answer: Response
  try {
    answer = await fetch(url, {
      method: verb.toUpperCase(),
      headers,
      credentials: 'same-origin',
      body: verb === 'get' ? null : JSON.stringify(body ?? {}),
      signal: signal ?? null,
    })
  } catch (thrown) {
    if (signal?.aborted) throw thrown
    throw errorOf(thrown)
  }
  if (answer.ok) return answer
  const failure = failureOf(answer.status, await answer.text())
  if (answer.status === 401 && !url.includes('/api/v1/session')) signedOut()
  throw failure
}

/** The address of a call: variables filled in, each as one part of the path, and the query. */
export function address(path: string, request: { path?: unknown; query?: unknown }): string {
  const variables = (request.path ?? {}) as Record<string, unknown>
  const filled = path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const value = variables[name]
    if (value === undefined || value === '') throw new ApiError(0, `the address ${path} lacks ${name}`)
    // Browsers take these for steps in the path, and would call something else.
    if (value === '.' || value === '..') throw new ApiError(0, `nothing can be named ${JSON.stringify(value)}`)
    return encodeURIComponent(String(value))
  })
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries((request.query ?? {}) as Record<string, unknown>)) {
    if (value === undefined || value === null || value === '' || value === false) continue
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
  }
  const text = query.toString()
  return new URL(filled.replace(/^\//, '') + (text ? `?${text}` : ''), document.baseURI).toString()
}
