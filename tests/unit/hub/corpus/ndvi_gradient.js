//VERSION=3
let viz = ColorGradientVisualizer.createWhiteGreen(-1.0, 1.0);
function setup() { return { input: ["B04", "B08"], output: { bands: 3 } } }
function evaluatePixel(s) { return viz.process(index(s.B08, s.B04)) }
