"""What tests run in the page."""

# The rows of lines that a chart's Vega view draws: the marks for the best value and the reference lines are no points.
OF_LINES = """(chart) => chart.view.data("points").filter(({ mark }) => !["best", "reference"].includes(mark))"""
# The same, with NaN and the infinities as text (JSON has none).
POINTS = f"""(chart) => ({OF_LINES})(chart).map((row) => Object.fromEntries(
    ["run", "step", "time", "value", "smooth", "color"].map((field) => [
        field, typeof row[field] === "number" && !Number.isFinite(row[field]) ? String(row[field]) : row[field] ?? null,
    ])
))"""

# Resolves when boxes and drawing counts of all charts have been the same for ten animation frames.
QUIET = """() => new Promise((resolve) => {
    let [before, still] = ["", 0];
    const look = () => {
        const now = [...document.querySelectorAll(".tb-board, .tb-chart")].map((one) => {
            const box = one.getBoundingClientRect();
            return [box.x, box.y, box.width, box.height, one.dataset.drawn, one.dataset.theme].join();
        }).join(";");
        [before, still] = [now, now === before ? still + 1 : 0];
        still < 10 ? requestAnimationFrame(look) : resolve();
    };
    look();
})"""

# Whether the rows of a run within the zoomed range have every step, and are more than a few and less than so many.
CONSECUTIVE = """([chart, most]) => {
    const [from, to] = chart.view.signal("x_window");
    const rows = chart.view.data("points").filter(({ mark }) => !["best", "reference"].includes(mark));
    const steps = rows.filter(({ run, step }) => run === rows[0].run && step >= from && step <= to).map(({ step }) => step);
    return steps.length > 20 && steps.length < most && steps.every((step, i) => !i || step - steps[i - 1] === 1);
}"""

# The texts of a board and of tooltips with too little contrast.
FAINT = """(board) => {
    const channels = (color) => {
        const canvas = new OffscreenCanvas(1, 1).getContext("2d");
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const over = (top, under, opacity) =>
        top.slice(0, 3).map((c, i) => (c * top[3] * opacity) / 255 + under[i] * (1 - (top[3] * opacity) / 255));
    const ground = (one) => {
        const own = channels(getComputedStyle(one).backgroundColor);
        return own[3] === 255 || !one.parentElement ? own.slice(0, 3) : over(own, ground(one.parentElement), 1);
    };
    const opacity = (one) => (one ? Number(getComputedStyle(one).opacity) * opacity(one.parentElement) : 1);
    const light = (rgb) => {
        const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = [];
    for (const root of [board, ...document.querySelectorAll(".tb-tooltip:not([hidden])")]) {
        const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            const one = texts.currentNode.parentElement;
            if (!texts.currentNode.data.trim() || !one.checkVisibility({ opacityProperty: true })) continue;
            if (one.closest("style, script, option, :disabled")) continue;
            const under = ground(one);
            const text = over(channels(getComputedStyle(one).color), under, opacity(one));
            const [a, b] = [light(text), light(under)];
            const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (ratio < 4.5) found.push(`${texts.currentNode.data.slice(0, 40)} (.${one.className}): ${ratio.toFixed(2)}`);
        }
    }
    return found;
}"""
