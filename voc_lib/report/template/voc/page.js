(() => {
  "use strict";
  const palette = JSON.parse(document.querySelector("body > script.palette").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const frames = [...document.querySelectorAll("main > figure.chart")];
  const paper = 672; // px: A4 less its margins, as in the print style
  const config = { responsive: true, displayModeBar: false, showTips: false };
  const swap = Object.fromEntries(Object.keys(palette.light).map((name) => [palette.light[name], palette.dark[name]]));

  const coloured = (value, night) => {
    if (typeof value === "string") return night && Object.hasOwn(swap, value) ? swap[value] : value;
    if (Array.isArray(value)) return value.map((inner) => coloured(inner, night));
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner, night)]));
    return value;
  };

  const described = new Map();
  const draw = (frame, night, width) => {
    const { data, layout } = coloured(described.get(frame), night);
    if (width) Object.assign(layout, { width, autosize: false });
    return Plotly.react(frame.querySelector(".plot"), data, layout, config);
  };
  const drawAll = (night, width) => frames.forEach((frame) => described.has(frame) && draw(frame, night, width));

  for (const frame of frames) {
    try {
      described.set(frame, JSON.parse(frame.querySelector('script[type="application/json"]').textContent));
      draw(frame, dark.matches, 0);
    } catch (error) {
      described.delete(frame);
      console.error(error);
    }
  }

  dark.addEventListener("change", () => drawAll(dark.matches, 0));
  addEventListener("beforeprint", () => drawAll(false, paper));
  addEventListener("afterprint", () => drawAll(dark.matches, 0));

  addEventListener("load", () => {
    const made = Number(document.body.dataset.figures);
    const drawn = document.querySelectorAll(".js-plotly-plot .main-svg:first-of-type").length;
    document.body.dataset.drawn = String(drawn);
    if (drawn === made) return;
    const alarm = document.createElement("p");
    alarm.className = "note alarm";
    alarm.setAttribute("role", "alert");
    alarm.textContent = `本页应有 ${made} 张图，只画出 ${drawn} 张。请勿据此页下结论，并告知分析师。`;
    document.querySelector("main").prepend(alarm);
  });
})();
