//VERSION=3
// The ready-made ramp, upside down, on part of the range.
var ramp = ColorRampVisualizer.createBlueRed(-0.5, 0.5).inverse();

function setup() {
  return { input: ["B04", "B08"], output: { bands: 3 } };
}

function evaluatePixel(s) {
  return ramp.process((s.B08 - s.B04) / (s.B08 + s.B04));
}
