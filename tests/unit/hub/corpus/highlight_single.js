//VERSION=3
let viz = new HighlightCompressVisualizerSingle(0.1, 0.6, 1.2, 0.05, 0.8);

function evaluatePixel(samples) {
  let val = index(samples.B08, samples.B04);
  val = viz.process(val);
  val.push(samples.dataMask);
  return val;
}

function setup() {
  return { input: [{ bands: ["B04", "B08", "dataMask"] }], output: { bands: 2 } }
}
