// SPDX-License-Identifier: Apache-2.0

/** Cuts a stream of bytes into lines of text, however the bytes come. */
export async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  const kept: string[] = [] // of a line that is not whole yet: joined once, or a large one would be copied with each piece
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      let from = 0
      for (let at = value.indexOf('\n'); at >= 0; at = value.indexOf('\n', from)) {
        kept.push(value.slice(from, at))
        from = at + 1
        const line = kept.join('')
        kept.length = 0
        if (line !== '') yield line
      }
      if (from < value.length) kept.push(value.slice(from))
    }
    const rest = kept.join('')
    if (rest !== '') yield rest
  } finally {
    reader.releaseLock()
  }
}
