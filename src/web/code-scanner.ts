// Finds QR codes in what a camera shows and in pictures: by the browser where it can, else by a reader that is loaded then.
// Nothing that is seen leaves the page.

/** The longer side of a picture that is looked through, in pixels: more is slower and finds no more. */
const MAX_SIDE = 1_280
/** Between two frames, in ms. */
const FRAME_MS = 120

/** @see https://wicg.github.io/shape-detection-api/ */
interface Detector {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector
  getSupportedFormats(): Promise<string[]>
}

/**
 * Asks for the camera, the one at the back where there are two. It is off again when the signal fires.
 * @throws DOMException NotAllowedError (refused), NotFoundError (there is none), NotReadableError (in use)
 */
export async function openCamera(signal: AbortSignal): Promise<MediaStream> {
  // Where a page may use no camera, browsers leave this out.
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (devices === undefined) throw new DOMException('no camera may be used here', 'NotFoundError')
  const stream = await devices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: MAX_SIDE } } })
  const stop = (): void => stream.getTracks().forEach((track) => track.stop())
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  return stream
}

/**
 * Looks at what an element shows of a camera until there is a code.
 * @throws the signal's reason; DOMException NotReadableError when the camera ends
 */
export async function codeSeen(video: HTMLVideoElement, stream: MediaStream, signal: AbortSignal): Promise<string> {
  const detector = await detectorOfBrowser()
  for (;;) {
    signal.throwIfAborted()
    if (!stream.active) throw new DOMException('the camera shows nothing any more', 'NotReadableError')
    const found = video.videoWidth === 0 ? undefined : await read(video, video.videoWidth, video.videoHeight, detector)
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, FRAME_MS))
  }
}

/** The text of the code in a picture; undefined also when the browser cannot read the picture. */
export async function codeIn(picture: Blob): Promise<string | undefined> {
  const bitmap = await createImageBitmap(picture).catch(() => undefined)
  if (bitmap === undefined) return undefined
  try {
    return await read(bitmap, bitmap.width, bitmap.height, await detectorOfBrowser())
  } finally {
    bitmap.close()
  }
}

async function read(
  source: CanvasImageSource,
  width: number,
  height: number,
  detector: Detector | undefined
): Promise<string | undefined> {
  // It may be there and not work: where the part of the system is missing that it stands for.
  const found = await detector?.detect(source).catch(() => undefined)
  if (found !== undefined) return found.at(0)?.rawValue
  const { readQr } = await import('./qr-reader.ts')
  return readQr(pixels(source, width, height))
}

function pixels(source: CanvasImageSource, width: number, height: number): ImageData {
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height))
  const canvas = new OffscreenCanvas(Math.max(1, width * scale), Math.max(1, height * scale))
  const context = canvas.getContext('2d', { willReadFrequently: true })!
  context.drawImage(source, 0, 0, canvas.width, canvas.height)
  return context.getImageData(0, 0, canvas.width, canvas.height)
}

async function detectorOfBrowser(): Promise<Detector | undefined> {
  const { BarcodeDetector } = globalThis as { BarcodeDetector?: DetectorClass }
  const formats = (await BarcodeDetector?.getSupportedFormats().catch(() => [])) ?? []
  return BarcodeDetector !== undefined && formats.includes('qr_code')
    ? new BarcodeDetector({ formats: ['qr_code'] })
    : undefined
}
