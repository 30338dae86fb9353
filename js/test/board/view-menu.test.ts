import { expect, test } from "vitest";
import { viewAsPython } from "../../src/board/view-menu.ts";
import { SETTINGS, type SettingName } from "../../src/frames/view-state.ts";

const view = (changed: Partial<Record<SettingName, unknown>>) =>
  viewAsPython(name => changed[name] ?? SETTINGS[name].default);

test("a view is copied as the Python that sets it, without the defaults", () => {
  expect(view({})).toBe('board.view({"version": 1})');
  expect(
    view({ smoothing: 8, link_x: false, collapsed: ["@system", 'a "b"'], run_colors: { r: "#123456" } }),
  ).toBe(
    'board.view({"version": 1, "smoothing": 8, "link_x": False, "collapsed": ["@system", "a \\"b\\""], "run_colors": {"r": "#123456"}})',
  );
});
