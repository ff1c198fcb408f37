//VERSION=3
// Names of the service's own functions, taken for other things.
let index = 3;
const inverse = (x) => 1 - x;
function combine(a, b) { return a + b; }
class ColorRampVisualizer { process(x) { return x / index; } }
var blueRed = new ColorRampVisualizer();

function setup() {
  return { input: ["B03"], output: { bands: 2, sampleType: "FLOAT32" } };
}
function evaluatePixel(s) {
  return [blueRed.process(inverse(s.B03)), combine(s.B03, index)];
}
