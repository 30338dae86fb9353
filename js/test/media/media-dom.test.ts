// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import {
  clearImage,
  fileName,
  formatBytes,
  isVideo,
  nameOf,
  olderSteps,
  showBlob,
} from "../../src/media/media-dom.ts";
import { medium } from "../media-fixtures.ts";

afterEach(() => vi.restoreAllMocks());

function addresses() {
  const open = new Set<string>();
  let count = 0;
  vi.spyOn(URL, "createObjectURL").mockImplementation(() => {
    const address = `blob:${count++}`;
    open.add(address);
    return address;
  });
  vi.spyOn(URL, "revokeObjectURL").mockImplementation(address => void open.delete(address));
  return open;
}

const png = () => new Blob(["x"], { type: "image/png" });
const settle = () => new Promise(resolve => setTimeout(resolve));

test("the address of an image is given back when it is read, or when it cannot be read", async () => {
  const open = addresses();
  const image = document.createElement("img");
  const shown = showBlob(image, png());
  await settle();
  expect([...open]).toEqual(["blob:0"]);
  image.onload?.(new Event("load"));
  await shown;
  expect([...open]).toEqual([]);
  const broken = showBlob(image, png());
  await settle();
  (image.onerror as () => void)();
  await expect(broken).rejects.toThrow("cannot be read");
  expect([...open]).toEqual([]);
});

test("an image that is replaced before it is read gives its address back", async () => {
  const open = addresses();
  const image = document.createElement("img");
  const first = showBlob(image, png());
  await settle();
  const second = showBlob(image, png());
  await first;
  expect([...open]).toEqual(["blob:1"]);
  image.onload?.(new Event("load"));
  await second;
  expect([...open]).toEqual([]);
});

test("an SVG has an address without the rights of the page", async () => {
  const open = addresses();
  const image = document.createElement("img");
  void showBlob(image, new Blob(["<svg><script>alert(1)</script></svg>"], { type: "image/svg+xml" }));
  await vi.waitFor(() => expect(image.src).not.toBe(""));
  expect(image.src).toMatch(/^data:image\/svg\+xml;base64,/);
  expect(open.size).toBe(0);
});

test("sizes, names and files are said in short", () => {
  expect([0, 999, 1500, 24_000, 2_400_000].map(formatBytes)).toEqual([
    "0 B",
    "999 B",
    "1.5 KB",
    "24 KB",
    "2.4 MB",
  ]);
  const runs = [
    { id: "id0", label: "otter", color: "", ink: "" },
    { id: "id1", label: "fox", color: "", ink: "" },
  ];
  expect(nameOf(medium({ step: 3, item: 1 }), runs)).toBe("image 2, otter, step 3");
  expect(nameOf(medium({ caption: "a cat" }), runs.slice(1))).toBe("a cat, step 0");
  expect(fileName("a/b", medium({ step: 3, item: 1, file: "00ff.tar.gz" }))).toBe("a/b-3-1.tar.gz");
  expect(
    [medium({ kind: "video", mime: "video/mp4" }), medium({ kind: "video", mime: "image/gif" })].map(isVideo),
  ).toEqual([true, false]);
});

test("an image that is cleared before it is read gives its address back", async () => {
  const open = addresses();
  const image = document.createElement("img");
  const shown = showBlob(image, png());
  await settle();
  clearImage(image);
  await shown;
  expect([[...open], image.hasAttribute("src")]).toEqual([[], false]);
});

test("the older steps of many runs are told in a few words, and all on demand", () => {
  const runs = ["a", "b", "c"].map(id => ({ id, label: `run ${id}`, color: "red" }));
  const items = [
    medium({ run: "a", step: 1 }),
    medium({ run: "b", step: 2 }),
    medium({ run: "c", step: 3000 }),
  ];
  expect(olderSteps(items, runs)).toBe("2 runs at older steps");
  expect(olderSteps(items, runs, true)).toBe("run a: step 1\nrun b: step 2");
  expect(olderSteps(items.slice(2), runs)).toBe("");
});
