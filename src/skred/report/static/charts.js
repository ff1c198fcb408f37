// Charts answer to the pointer and to the arrow keys with the nearest point's sentence.
function startCharts(charts) {
  for (const figure of document.querySelectorAll("figure.chart")) {
    const points = charts[figure.dataset.chart], plot = figure.querySelector(".plot"), svg = plot.querySelector("svg");
    if (!points.length) continue;
    const ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    ring.setAttribute("class", "ring");
    ring.setAttribute("r", "8");
    let at = -1;
    const show = (i) => {
      at = (i + points.length) % points.length;
      const [x, y, text] = points[at];
      ring.setAttribute("cx", x);
      ring.setAttribute("cy", y);
      svg.append(ring);
      figure.querySelector(".said").textContent = text;
    };
    const near = (e) => {
      const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
      const x = (e.clientX - box.left) * scale, y = (e.clientY - box.top) * scale;
      let best = 0, least = Infinity;
      points.forEach(([px, py], i) => {
        const distance = (px - x) ** 2 + (py - y) ** 2;
        if (distance < least) [best, least] = [i, distance];
      });
      show(best);
    };
    plot.addEventListener("pointermove", near);
    plot.addEventListener("pointerdown", near);
    plot.addEventListener("keydown", (e) => {
      const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[e.key];
      if (!step) return;
      e.preventDefault();
      show(at < 0 ? 0 : at + step);
    });
  }
}
