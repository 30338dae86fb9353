import { h, onResize, setText } from "../ui/dom.ts";
import { formatDuration } from "../ui/format.ts";
import { formatBytes, icon, iconButton, problemNote, showBlob } from "./media-dom.ts";
import type { MediaStore } from "./media-store.ts";
import type { MediaItem } from "./media-types.ts";

const SKIP = 5; // seconds that an arrow key moves
const BAR = 3; // px of a bar of the waveform, with its gap
const LOADED_UNASKED = 4 * 2 ** 20; // bytes of a sound or video that is loaded before somebody plays it
const PEAKS = 240; // of a waveform

let playing: HTMLMediaElement | null = null; // one sound at a time

/** Load the file of a player when it is first played, and give the address back with the player. */
async function loadInto(player: HTMLMediaElement, item: MediaItem, store: MediaStore, signal: AbortSignal) {
  const blob = await store.file(item.file as string);
  if (signal.aborted) return;
  const address = URL.createObjectURL(blob);
  const end = () => {
    player.pause();
    player.removeAttribute("src");
    URL.revokeObjectURL(address);
  };
  signal.addEventListener("abort", end, { once: true });
  player.src = address;
}

function playAlone(player: HTMLMediaElement) {
  if (playing !== player) playing?.pause();
  playing = player;
}

/** A sound: a button, its waveform, which is the slider of its time, and the time. */
export class AudioPlayer {
  readonly element = h("div", { class: "tb-media-audio" });
  #play = iconButton("play", "Play");
  #wave = h("canvas", { class: "tb-media-wave", "aria-hidden": "true" });
  #slider = h(
    "div",
    {
      class: "tb-media-time-slider",
      role: "slider",
      tabindex: "0",
      "aria-label": "Time",
      "aria-valuemin": "0",
    },
    this.#wave,
  );
  #time = h("span", { class: "tb-media-time tb-number tb-minor" });
  #audio = new Audio();
  #peaks: readonly number[] = [];
  #loaded: Promise<void> | null = null;
  #item: MediaItem;
  #store: MediaStore;
  #signal: AbortSignal;

  constructor(item: MediaItem, store: MediaStore, signal: AbortSignal) {
    [this.#item, this.#store, this.#signal] = [item, store, signal];
    this.element.append(this.#play, this.#slider, this.#time);
    this.#play.addEventListener("click", () => void this.toggle(), { signal });
    this.#slider.addEventListener("keydown", event => this.#onKey(event), { signal });
    this.#slider.addEventListener("pointerdown", event => this.#onPointer(event), { signal });
    this.#slider.addEventListener("pointermove", event => event.buttons && this.#onPointer(event), {
      signal,
    });
    for (const event of ["timeupdate", "play", "pause", "ended", "loadedmetadata"])
      this.#audio.addEventListener(event, () => this.show(), { signal });
    onResize(this.#slider, () => this.show(), signal);
    this.show();
    if (item.size <= LOADED_UNASKED) void this.#showWave();
  }

  /** Show the waveform; a sound that the browser cannot decode has none, and says so when it is played. */
  async #showWave() {
    try {
      this.#peaks = peaksOf(await decoded(await this.#store.file(this.#item.file as string)));
      if (!this.#signal.aborted) this.show();
    } catch (error) {
      console.debug("Trackbook: a waveform:", error);
    }
  }

  /** Play or pause. */
  async toggle() {
    try {
      await this.#load();
      if (!this.#audio.paused) return this.#audio.pause();
      playAlone(this.#audio);
      await this.#audio.play();
    } catch (error) {
      if ((error as Error).name !== "AbortError") this.#fail(error);
    }
  }

  #load(): Promise<void> {
    this.#loaded ??= loadInto(this.#audio, this.#item, this.#store, this.#signal);
    this.#loaded.catch(() => {
      this.#loaded = null;
    });
    return this.#loaded;
  }

  #fail(error: unknown) {
    this.element.querySelector(".tb-media-problem")?.remove();
    this.element.append(problemNote(error));
  }

  get #duration(): number {
    return (Number.isFinite(this.#audio.duration) && this.#audio.duration) || this.#item.about.duration || 0;
  }

  async #seek(time: number) {
    await this.#load();
    this.#audio.currentTime = Math.min(Math.max(0, time), this.#duration);
    this.show();
  }

  #onKey(event: KeyboardEvent) {
    const now = this.#audio.currentTime;
    const times: Record<string, number> = {
      ArrowLeft: now - SKIP,
      ArrowDown: now - SKIP,
      ArrowRight: now + SKIP,
      ArrowUp: now + SKIP,
      Home: 0,
      End: this.#duration,
    };
    if (event.key === " " || event.key === "Enter") void this.toggle();
    else if (Object.hasOwn(times, event.key)) this.#seek(times[event.key]).catch(error => this.#fail(error));
    else return;
    event.preventDefault();
  }

  #onPointer({ clientX }: PointerEvent) {
    const { left, width } = this.#slider.getBoundingClientRect();
    this.#seek(((clientX - left) / width) * this.#duration).catch(error => this.#fail(error));
  }

  /** Show the time and the waveform, in the colours of the page. */
  show() {
    const [now, all] = [this.#audio.currentTime, this.#duration];
    const paused = this.#audio.paused;
    const label = paused ? "Play" : "Pause";
    if (this.#play.getAttribute("aria-label") !== label) {
      this.#play.setAttribute("aria-label", label);
      this.#play.title = label;
      this.#play.replaceChildren(icon(paused ? "play" : "pause"));
    }
    const text = `${formatDuration(now)} / ${all ? formatDuration(Math.ceil(all)) : "–"}`;
    setText(this.#time, text);
    this.#slider.setAttribute("aria-valuemax", all.toFixed(1));
    this.#slider.setAttribute("aria-valuenow", now.toFixed(1));
    this.#slider.setAttribute("aria-valuetext", text);
    this.#drawWave(all ? now / all : 0);
  }

  #drawWave(share: number) {
    const { clientWidth, clientHeight } = this.#slider;
    const context = this.#wave.getContext("2d");
    if (!context || !clientWidth) return;
    const scale = devicePixelRatio;
    [this.#wave.width, this.#wave.height] = [clientWidth * scale, clientHeight * scale];
    context.scale(scale, scale);
    const style = getComputedStyle(this.element);
    const colors = ["--tb-accent", "--tb-media-quiet"].map(name => style.getPropertyValue(name).trim());
    const bars = Math.max(1, Math.floor(clientWidth / BAR));
    const peaks = this.#peaks;
    for (let i = 0; i < bars; i++) {
      const peak = peaks.length ? peaks[Math.floor((i / bars) * peaks.length)] : 0.08;
      const height = Math.max(2, peak * (clientHeight - 4));
      context.fillStyle = colors[(i + 0.5) / bars <= share ? 0 : 1] || "gray";
      context.fillRect(i * BAR, (clientHeight - height) / 2, BAR - 1, height);
    }
  }
}

async function decoded(blob: Blob): Promise<Float32Array> {
  const audio = await new OfflineAudioContext(1, 1, 44_100).decodeAudioData(await blob.arrayBuffer());
  return audio.getChannelData(0);
}

/** Return the loudest sample of each of equal parts, as shares of the loudest of all. */
export function peaksOf(samples: Float32Array, count = PEAKS): number[] {
  const size = Math.max(1, Math.ceil(samples.length / count));
  const peaks: number[] = [];
  for (let at = 0; at < samples.length; at += size) {
    let peak = 0;
    for (let i = at; i < Math.min(at + size, samples.length); i++)
      peak = Math.max(peak, Math.abs(samples[i]));
    peaks.push(peak);
  }
  const most = Math.max(...peaks) || 1;
  return peaks.map(peak => peak / most);
}

/** A video with the controls of the browser, which the keyboard can use. A large one is loaded when it is first played. */
export class VideoPlayer {
  readonly element = h("div", { class: "tb-media-video" });
  #video = h("video", { controls: "", playsinline: "", preload: "metadata", loop: "" });
  #load = h("button", { type: "button", class: "tb-media-load", "aria-label": "Load and play" });

  constructor(item: MediaItem, store: MediaStore, signal: AbortSignal, unasked = false) {
    const { width, height } = item.about;
    if (width && height) this.#video.style.aspectRatio = `${width} / ${height}`;
    this.#video.addEventListener("play", () => playAlone(this.#video), { signal });
    const isSmall = item.size <= LOADED_UNASKED;
    const poster = h("img", { class: "tb-media-image", alt: "" });
    const begin = (plays: boolean) =>
      loadInto(this.#video, item, store, signal)
        .then(() => {
          if (signal.aborted) return;
          this.element.replaceChildren(this.#video);
          this.element.dataset.shown = item.file ?? "";
          if (plays) void this.#video.play();
        })
        .catch(error => this.element.replaceChildren(problemNote(error)));
    this.#load.append(poster, h("span", { class: "tb-media-badge" }, icon("play"), formatBytes(item.size)));
    this.#load.addEventListener("click", () => void begin(true), { signal });
    this.element.append(this.#load);
    store
      .thumbnail(item.file as string, signal)
      .then(blob => blob && showBlob(poster, blob))
      .catch(error => console.debug("Trackbook: a thumbnail:", error));
    if (isSmall || unasked) void begin(false);
  }
}
