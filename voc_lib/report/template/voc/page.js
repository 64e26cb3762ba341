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
  // For paper afresh: what is there already would move to its new place in half a second (a Sankey does), and paper does not wait.
  const draw = (frame, night, width) => {
    const { data, layout } = coloured(described.get(frame), night);
    if (!width) return Plotly.react(frame.querySelector(".plot"), data, layout, config);
    Object.assign(layout, { width, autosize: false });
    return Plotly.newPlot(frame.querySelector(".plot"), data, layout, config);
  };
  const drawAll = (night, width) => frames.forEach((frame) => described.has(frame) && draw(frame, night, width));

  // The chart as a picture for slides and mails: its title inside, in the light colours on white, whatever the screen shows.
  const words = (frame, part) => (frame.querySelector(`figcaption ${part}`)?.textContent ?? "");
  const picture = (frame) => {
    const { data, layout } = structuredClone(described.get(frame));
    const [title, subtitle] = ["b", "span"].map((part) => words(frame, part).replace(/&/g, "&amp;").replace(/</g, "&lt;"));
    const above = title ? (subtitle ? 84 : 56) : 24; // px for the title, as in the page
    const height = (layout.height || 360) + above;
    const margin = { ...layout.margin, l: (layout.margin?.l ?? 0) + 24, r: (layout.margin?.r ?? 0) + 24, t: (layout.margin?.t ?? 0) + above };
    if (title) layout.title = { text: `<b>${title}</b>`, subtitle: { text: subtitle, font: { size: 14 } }, font: { size: 18 }, x: 0, xref: "container", pad: { l: 24, t: 20 }, y: 1, yref: "container", yanchor: "top" };
    const name = (words(frame, "b").replace(/[<>:"\/\\|?*%\u0000-\u001f]/g, " ").replace(/\s+/g, " ").trim().slice(0, 60) || "图");
    return Plotly.downloadImage({ data, layout: { ...layout, height, margin, width: 1200, autosize: false, paper_bgcolor: "#fff", plot_bgcolor: "#fff" }, config },
      { format: "png", width: 1200, height, scale: 2, filename: name });
  };
  const offer = (frame) => {
    const [line, button] = ["p", "button"].map((name) => document.createElement(name));
    line.className = "take";
    button.type = "button";
    button.textContent = "下载 PNG";
    button.addEventListener("click", () => picture(frame).catch(() => { button.textContent = "没有做成，请截屏"; }));
    line.append(button);
    frame.append(line);
  };

  for (const frame of frames) {
    try {
      described.set(frame, JSON.parse(frame.querySelector('script[type="application/json"]').textContent));
      draw(frame, dark.matches, 0);
      offer(frame);
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
