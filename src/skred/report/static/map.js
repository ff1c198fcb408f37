// The map: two pictures with a divider between them, polygons over both, values under the pointer.
const STYLES = {
  "hit": {color: "#35d0ff", dash: null, words: "detected: hit"},
  "false alarm": {color: "#ff6fae", dash: "2 5", words: "detected: false alarm"},
  "touching": {color: "#c9a2ff", dash: "10 4", words: "detected: touches a landslide"},
  "not judged": {color: "#ffffff", dash: "8 3 2 3", words: "detected where labels are unknown"},
  "missed": {color: "#ffd400", dash: "7 5", words: "known landslide (piece), missed"},
  "found": {color: "#9be564", dash: null, words: "known landslide (piece), found"},
};
const ROOM = {autoPanPaddingTopLeft: [8, 92], autoPanPaddingBottomRight: [8, 12]};  // below zoom buttons and north
const PARTS = {train: "#4aa3ff", val: "#ffb347", test: "#ff7ac6"};
const thousands = (value) => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, " ");
function shown(value, digits, unit) {
  if (value === null || value === undefined) return "–";
  const scaled = unit === "%" ? 100 * value : value;
  const number = digits ? scaled.toFixed(digits) : thousands(Math.round(scaled));
  return number + (unit ? (unit === "°" ? "" : " ") + unit : "");
}
function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function startMap(data) {
  const $ = (id) => document.getElementById(id);
  const state = {event: data.events.find((event) => event.role === "unseen") || data.events[0], left: null, right: null, cell: null, at: 0.5};
  const shapes = new Map();  // id of a detected polygon -> its layer
  const decoded = new Map();
  const crs = L.extend({}, L.CRS.Simple, {
    transformation: new L.Transformation(1, 0, -1, 0),
    scale: (zoom) => 2 ** zoom / 10,
    zoom: (scale) => Math.log2(scale * 10),
  });
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map("map", {
    crs, zoomSnap: 0.25, minZoom: -4, maxZoom: 4, attributionControl: false, maxBoundsViscosity: 0.8,
    dragging: !L.Browser.mobile, scrollWheelZoom: false, fadeAnimation: !still, zoomAnimation: !still, inertia: !still,
  });
  L.control.scale({imperial: false}).addTo(map);
  map.on("focus", () => map.scrollWheelZoom.enable());
  map.on("blur", () => map.scrollWheelZoom.disable());
  // What scrolls must be reachable by keyboard.
  map.on("popupopen", (e) => { e.popup.getElement().querySelector(".leaflet-popup-content").tabIndex = 0; });
  document.addEventListener("keydown", (e) => { if (e.key === "Escape") map.closePopup(); });
  for (const [name, z] of [["left", 210], ["right", 220], ["mask", 230], ["parts", 300], ["known", 410], ["detected", 420], ["divider", 640]]) {
    map.createPane(name).style.zIndex = z;
    if (name !== "detected" && name !== "known") map.getPane(name).style.pointerEvents = "none";
  }
  const divider = element("div", undefined, "divider");
  map.getPane("divider").append(divider);
  const renderers = Object.fromEntries(["parts", "known", "detected"].map((pane) => [pane, L.svg({pane, padding: 0.6})]));
  const groups = Object.fromEntries(["left", "right", "mask", "parts", "missed", "found", "detected"].map((n) => [n, L.layerGroup()]));

  const frame = L.rectangle([[0, 0], [1, 1]], {renderer: renderers.parts, pane: "parts", color: "#aab4b6", weight: 1, fill: false, interactive: false}).addTo(map);

  const bounds = (g) => [[g.north - g.height * g.resolution_m, g.west], [g.north, g.west + g.width * g.resolution_m]];
  const picture = (key) => $(`pic-${state.event.name}-${key}`).textContent;
  function rings(list) {
    const g = state.event.grid;
    return list.map((flat) => {
      const out = [];
      for (let i = 0; i < flat.length; i += 2) out.push([g.north - flat[i + 1] * g.resolution_m, g.west + flat[i] * g.resolution_m]);
      return out;
    });
  }
  // Thinner where the whole event is on a small screen: small landslides would be all outline.
  const weights = () => (map.getZoom() < -1 ? [3.4, 1.6] : [5, 2.4]);
  function drawn(list, pane, style) {
    const points = rings(list), renderer = renderers[pane];
    const [under, over] = weights();
    const casing = L.polygon(points, {renderer, pane, color: "#101415", weight: under, opacity: 0.85, fill: false, interactive: false});
    const line = L.polygon(points, {renderer, pane, color: style.color, weight: over, dashArray: style.dash, fillColor: style.color, fillOpacity: 0.08});
    return [casing, line];
  }
  function popup(p) {
    const box = element("div");
    box.append(element("h3", `Polygon ${p.id}: ${p.verdict}`));
    const list = element("dl");
    const add = (word, value) => list.append(element("dt", word), element("dd", value));
    const s = state.event.cells[state.cell].summary;
    add("area", shown(p.area_m2, 0, "m²"));
    add("probability", `${shown(p.probability_mean, 2)} (largest ${shown(p.probability_max, 2)}): uncalibrated score, not a chance`);
    if (p.spread_mean !== null) add("spread of the ensemble", shown(p.spread_mean, 3));
    add("length × width", `${shown(p.length_m, 0)} × ${shown(p.width_m, 0)} m`);
    if (p.orientation_deg !== null) add("azimuth of long side", shown(p.orientation_deg, 0, "°"));
    add("ground", `${shown(p.elevation_min_m, 0)} to ${shown(p.elevation_max_m, 0)} m`);
    add("mean slope", shown(p.slope_mean_deg, 0, "°"));
    add("observable", `${shown(p.observable_share, 0, "%")} of its area`);
    if (s.days_to_last_image !== null) add("last image", `${s.days_to_last_image} days after`);
    if (p.split) add("lies in", p.split);
    add("model", s.cell);
    add("threshold", shown(s.threshold, 3));
    add("hash of the model", s.model_sha256.slice(0, 12));
    add("learnt from", `${s.trained_on}${s.trained_on_simulated ? " (simulated)" : ""}`);
    if (state.event.simulated) add("pixels", "simulated");
    box.append(list);
    return box;
  }

  function showPicture(side) {
    groups[side].clearLayers();
    const options = {pane: side, className: "pixels", alt: ""};
    L.imageOverlay(picture(state[side]), bounds(state.event.grid), options).addTo(groups[side]);
  }
  function showPolygons() {
    for (const name of ["missed", "found", "detected"]) groups[name].clearLayers();
    shapes.clear();
    const cell = state.event.cells[state.cell];
    state.event.known.forEach((known, i) => {
      const name = cell.found[i] ? "found" : "missed";
      const [casing, line] = drawn(known.rings, "known", STYLES[name]);
      line.bindPopup(() => {
        const box = element("div");
        box.append(element("h3", `Piece of a known landslide: ${name}`), element("p", `${shown(known.area_m2, 0, "m²")}, mapped in the inventory`));
        return box;
      }, ROOM);
      groups[name].addLayer(casing).addLayer(line);
    });
    for (const p of cell.detected) {
      const [casing, line] = drawn(p.rings, "detected", STYLES[p.verdict]);
      line.bindPopup(() => popup(p), {...ROOM, maxHeight: Math.min(330, map.getSize().y - 170)});
      line.on("popupopen", () => choose(p.id, false));
      groups.detected.addLayer(casing).addLayer(line);
      shapes.set(p.id, line);
    }
    tell();
    fillTable();
  }
  function thicken() {
    const [under, over] = weights();
    for (const name of ["missed", "found", "detected"]) {
      groups[name].eachLayer((shape) => shape.setStyle({weight: shape.options.interactive ? over : under}));
    }
  }
  function showFixed() {
    frame.setBounds(bounds(state.event.grid));
    groups.mask.clearLayers();
    L.imageOverlay(picture("mask"), bounds(state.event.grid), {pane: "mask", className: "pixels", opacity: 0.75, alt: ""}).addTo(groups.mask);
    groups.parts.clearLayers();
    for (const [part, list] of Object.entries(state.event.parts)) {
      L.polygon(rings(list), {renderer: renderers.parts, pane: "parts", color: PARTS[part], weight: 3, fillOpacity: 0.12, interactive: false}).addTo(groups.parts);
    }
    $("parts-label").hidden = !Object.keys(state.event.parts).length;
  }
  function toggle() {
    const wanted = {detected: "show-detected", missed: "show-known", found: "show-found", mask: "show-mask", parts: "show-parts"};
    for (const [name, id] of Object.entries(wanted)) {
      if ($(id).checked) groups[name].addTo(map); else groups[name].remove();
    }
    legends();
  }
  function clip() {
    const size = map.getSize();
    const from = map.containerPointToLayerPoint([0, 0]), to = map.containerPointToLayerPoint(size);
    const x = from.x + (to.x - from.x) * state.at;
    map.getPane("right").style.clipPath = `polygon(${x}px ${from.y}px, ${to.x}px ${from.y}px, ${to.x}px ${to.y}px, ${x}px ${to.y}px)`;
    map.getPane("left").style.clipPath = `polygon(${from.x}px ${from.y}px, ${x}px ${from.y}px, ${x}px ${to.y}px, ${from.x}px ${to.y}px)`;
    divider.style.left = `${x}px`;
    divider.style.top = `${from.y}px`;
    divider.style.height = `${to.y - from.y}px`;
  }
  function swipe() {
    // the thumb's middle, not the input's share of its width: the thumb stays inside the map
    const width = $("swipe").clientWidth, thumb = 44, share = $("swipe").value / 100;
    state.at = (thumb / 2 + share * (width - thumb)) / width;
    $("swipe").setAttribute("aria-valuetext", `${Math.round(100 * share)} % from the left`);
    clip();
  }

  const layer = (key) => state.event.layers.find((l) => l.key === key);
  function legends() {
    const box = $("legends");
    box.replaceChildren();
    for (const side of ["left", "right"]) {
      const one = layer(state[side]), part = element("div");
      part.append(element("h3", `${side === "left" ? "Left" : "Right"}: ${one.title}`));
      if (one.colours) {
        const ramp = element("div", undefined, "ramp"), ends = element("div", undefined, "ends");
        ramp.style.background = `linear-gradient(90deg, ${one.colours.join(",")})`;
        ends.append(element("span", `≤ ${one.low}`), element("span", one.unit), element("span", `≥ ${one.high}`));
        const words = element("div", undefined, "ends");
        words.append(element("span", one.below), element("span", one.above));
        part.append(ramp, ends, words, element("p", "dark ground: unknown"));
      } else part.append(element("p", one.note));
      box.append(part);
    }
    const keys = element("div"), list = element("ul");
    keys.append(element("h3", "Outlines"), list);
    const names = [];
    if ($("show-detected").checked) names.push("hit", "false alarm", "touching", "not judged");
    if ($("show-known").checked) names.push("missed");
    if ($("show-found").checked) names.push("found");
    const there = new Set(state.event.cells[state.cell].detected.map((p) => p.verdict));
    for (const name of names) if ((name !== "not judged" && name !== "touching") || there.has(name)) list.append(key(STYLES[name].words, STYLES[name]));
    if ($("show-parts").checked) for (const part of Object.keys(state.event.parts)) list.append(key(`split: ${part}`, {color: PARTS[part], dash: null}));
    if (list.children.length) box.append(keys);
  }
  function key(words, style) {
    const item = element("li"), space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 30 14");
    svg.setAttribute("class", "swatch");
    svg.setAttribute("aria-hidden", "true");
    for (const [colour, width, dash] of [["#101415", 6, null], [style.color, 2.6, style.dash]]) {
      const line = document.createElementNS(space, "line");
      for (const [name, value] of Object.entries({x1: 0, y1: 7, x2: 30, y2: 7, stroke: colour, "stroke-width": width})) line.setAttribute(name, value);
      if (dash) line.setAttribute("stroke-dasharray", dash);
      svg.append(line);
    }
    item.append(svg, element("span", words));
    return item;
  }
  function tell() {
    const cell = state.event.cells[state.cell], s = cell.summary;
    // Where the model learnt or was tuned a hit is no achievement: only the test split is counted.
    const divided = Object.keys(state.event.parts).length > 0;
    const detected = cell.detected.filter((p) => !divided || p.split === "test"), count = (v) => detected.filter((p) => p.verdict === v).length;
    const pieces = cell.found.filter((_, i) => !divided || state.event.known[i].part === "test");
    const found = pieces.filter(Boolean).length, known = pieces.length, touching = count("touching");
    const tallied = `${count("hit")} hits, ${count("false alarm")} false alarms${touching ? `, ${touching} touching` : ""}; ${found} of ${known} pieces of known landslides found`;
    const nothing = state.event.role === "control" ? "none is real: this place has no landslides" : "no landslide is known here to judge them by";
    const judged = !known ? nothing : divided ? `in the test split ${tallied}; the other ${cell.detected.length - detected.length} polygons lie where the model learnt, was tuned, or next to it, and do not tell how good it is` : tallied;
    $("tally").textContent = `${state.cell} on “${state.event.name}”: ${cell.detected.length} polygons, ${shown(s.landslide_area_m2 / 1e4, 1)} ha; ${judged}. The model's sensors saw ${shown(s.observable_share, 0, "%")} of the area before and after.`;
    const seen = $("seen"), list = element("ul");
    seen.replaceChildren(element("p", "Seen by optics and radar (mask):"), list);
    for (const row of state.event.mask_share) {
      const item = element("li"), swatch = element("span", undefined, "swatch");
      if (row.colour) swatch.style.background = row.colour;
      item.append(swatch, element("span", `${row.share < 0.001 ? "under 0.1" : (100 * row.share).toFixed(1)} % ${row.words}`));
      list.append(item);
    }
    seen.append(element("p", "White patches in the pictures are cloud that the mask missed. They count as seen, but nothing can be said there."));
  }
  function fillTable() {
    const body = $("polygons").tBodies[0], order = $("order").value, only = $("verdicts").value;
    const sign = order === "id" ? 1 : -1;
    const rows = state.event.cells[state.cell].detected.filter((p) => !only || p.verdict === only)
      .sort((a, b) => sign * (a[order] - b[order]) || a.id - b.id);
    body.replaceChildren(...rows.map((p) => {
      const row = element("tr"), head = element("th"), button = element("button", `${p.id}`);
      head.scope = "row";
      button.type = "button";
      button.setAttribute("aria-label", `Show polygon ${p.id} on the map`);
      button.addEventListener("click", () => choose(p.id, true));
      head.append(button);
      row.dataset.id = p.id;
      row.append(head, element("td", p.verdict), element("td", shown(p.area_m2, 0), "n"), element("td", shown(p.probability_mean, 2), "n"),
        element("td", `${shown(p.length_m, 0)} × ${shown(p.width_m, 0)}`, "n wide"), element("td", `${shown(p.elevation_min_m, 0)}–${shown(p.elevation_max_m, 0)}`, "n wide"),
        element("td", shown(p.slope_mean_deg, 0), "n wide"), element("td", p.split || "–", "wide"));
      return row;
    }));
    if (!rows.length) {
      const row = element("tr"), cell = element("td", "No polygons.");
      cell.colSpan = 8;
      row.append(cell);
      body.append(row);
    }
  }
  function choose(id, move) {
    for (const row of $("polygons").tBodies[0].rows) row.classList.toggle("chosen", row.dataset.id === String(id));
    if (!move) return;
    $("show-detected").checked = true;
    toggle();
    const shape = shapes.get(id);
    map.fitBounds(shape.getBounds().pad(3), {maxZoom: 2, animate: false});
    shape.openPopup(shape.getBounds().getCenter());
    $("mapbox").scrollIntoView({block: "nearest"});
  }

  async function codesOf(one) {
    const name = `${state.event.name}-${one.key}`;
    if (!decoded.has(name)) {
      decoded.set(name, (async () => {
        const image = new Image();
        image.src = picture(one.key);
        await image.decode();
        const canvas = element("canvas");
        [canvas.width, canvas.height] = [image.width, image.height];
        const context = canvas.getContext("2d", {willReadFrequently: true});
        context.drawImage(image, 0, 0);
        const pixels = context.getImageData(0, 0, image.width, image.height).data;
        const index = new Map(one.colours.map((c, i) => [parseInt(c.slice(1), 16), i]));
        const codes = new Uint8Array(pixels.length / 4);
        for (let i = 0; i < codes.length; i++) {
          const j = 4 * i;
          codes[i] = pixels[j + 3] ? index.get((pixels[j] << 16) | (pixels[j + 1] << 8) | pixels[j + 2]) : 255;
        }
        return codes;
      })());
    }
    return decoded.get(name);
  }
  async function readOut(e) {
    const g = state.event.grid, col = Math.floor((e.latlng.lng - g.west) / g.resolution_m), row = Math.floor((g.north - e.latlng.lat) / g.resolution_m);
    if (col < 0 || row < 0 || col >= g.width || row >= g.height) return;
    const steps = g.lattice.length - 1, x = steps * (col + 0.5) / g.width, y = steps * (row + 0.5) / g.height;
    const i = Math.floor(x), j = Math.floor(y), u = x - i, v = y - j;
    const [lon, lat] = [0, 1].map((k) => (1 - v) * ((1 - u) * g.lattice[j][i][k] + u * g.lattice[j][i + 1][k]) + v * ((1 - u) * g.lattice[j + 1][i][k] + u * g.lattice[j + 1][i + 1][k]));
    const one = layer(e.containerPoint.x < state.at * map.getSize().x ? state.left : state.right);
    let value = one.title;
    if (one.colours) {
      const code = (await codesOf(one))[row * g.width + col];
      const number = one.low + (code / (one.colours.length - 1)) * (one.high - one.low);
      value = `${one.title}: ${code === 255 ? "unknown" : `${number.toFixed(2)} ${one.unit === "probability" ? "" : one.unit}`}`;
    }
    $("readout").textContent = `${value.trim()} · east ${thousands(g.west + (col + 0.5) * g.resolution_m)} m, north ${thousands(g.north - (row + 0.5) * g.resolution_m)} m (${g.crs}) · ${Math.abs(lat).toFixed(5)}° ${lat < 0 ? "S" : "N"} ${Math.abs(lon).toFixed(5)}° ${lon < 0 ? "W" : "E"}`;
  }

  function options(select, pairs, wanted) {
    select.replaceChildren(...pairs.map(([value, text]) => {
      const option = element("option", text);
      option.value = value;
      return option;
    }));
    select.value = pairs.some(([value]) => value === wanted) ? wanted : pairs[0][0];
    return select.value;
  }
  function showEvent(event) {
    state.event = event;
    map.closePopup();
    const pictures = event.layers.map((l) => [l.key, l.title]), cells = Object.keys(event.cells).map((c) => [c, c]);
    state.left = options($("left"), pictures, state.left || "before");
    state.right = options($("right"), pictures, state.right || "after");
    state.cell = options($("cell"), cells, state.cell || data.best_cell);
    const g = event.grid, box = bounds(g), turn = g.convergence_deg;
    if ($("water")) $("water").hidden = !event.simulated;
    $("north").textContent = `grid north; true north ${Math.abs(turn).toFixed(1)}° to the ${turn > 0 ? "left" : "right"}`;
    map.setMaxBounds(L.latLngBounds(box).pad(0.5));
    map.fitBounds(box, {animate: false});
    showPicture("left");
    showPicture("right");
    showFixed();
    showPolygons();
    toggle();
    swipe();
  }

  for (const event of data.events) {
    const label = element("label"), radio = element("input");
    Object.assign(radio, {type: "radio", name: "event", value: event.name, checked: event === state.event});
    radio.addEventListener("change", () => showEvent(event));
    label.append(radio, document.createTextNode(event.name));
    $("events").append(label);
  }
  for (const side of ["left", "right"]) {
    groups[side].addTo(map);
    $(side).addEventListener("change", () => { state[side] = $(side).value; showPicture(side); legends(); });
  }
  $("cell").addEventListener("change", () => { state.cell = $("cell").value; map.closePopup(); showPolygons(); toggle(); });
  for (const id of ["show-detected", "show-known", "show-found", "show-mask", "show-parts"]) $(id).addEventListener("change", toggle);
  for (const id of ["verdicts", "order"]) $(id).addEventListener("change", fillTable);
  $("swipe").addEventListener("input", swipe);
  $("controls").addEventListener("submit", (e) => e.preventDefault());
  map.on("move zoom viewreset resize", swipe);
  map.on("zoomend", thicken);
  map.on("mousemove click", readOut);
  showEvent(state.event);
  return map;
}
