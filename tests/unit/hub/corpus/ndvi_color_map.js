//VERSION=3
const viz = ColorMapVisualizer.createDefaultColorMap();

function setup() {
  return { input: [{ bands: ["B08", "B04"] }], output: [{ id: "default", bands: 3 }] };
}

function evaluatePixel(s) {
  return viz.process(index(s.B08, s.B04));
}
